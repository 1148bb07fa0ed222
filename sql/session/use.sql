-- Names without a catalog are those of the tables and views.
USE CATALOG `iceberg`;
USE `weir`;
