-- The Iceberg tables: which of their metadata files is the newest is in PostgreSQL, the files are on S3.
-- It holds no secret: the PostgreSQL driver reads its password from PGPASSFILE, the S3 client its keys from
-- AWS_SHARED_CREDENTIALS_FILE.
CREATE CATALOG `iceberg` WITH (
  'type' = 'iceberg',
  'catalog-impl' = 'org.apache.iceberg.jdbc.JdbcCatalog',
  'uri' = 'jdbc:postgresql://{{postgres}}/weir?connectTimeout=5&socketTimeout=30&tcpKeepAlive=true&{{tls}}',
  'jdbc.user' = 'iceberg',
  'jdbc.schema-version' = 'V1',
  'jdbc.init-catalog-tables' = 'false',
  'clients' = '1',
  'warehouse' = '{{warehouse}}',
  'io-impl' = 'org.apache.iceberg.aws.s3.S3FileIO',
  's3.endpoint' = '{{s3}}',
  's3.path-style-access' = 'true',
  'client.region' = 'us-east-1'
);
CREATE DATABASE IF NOT EXISTS `iceberg`.`weir`;
