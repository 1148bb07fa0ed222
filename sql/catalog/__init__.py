"""Where the tables are: Iceberg's catalog in PostgreSQL and its files on S3, and the catalog of the topics."""
