"""The Iceberg tables: one file each, named like the topic it is filled from."""
