-- MLflow keeps its own tables in schema public and may not write to weir (its alias trigger does that for it).
GRANT USAGE, CREATE ON SCHEMA public TO mlflow;
-- Debezium reads what is published, nothing else.
GRANT USAGE ON SCHEMA weir TO debezium;
GRANT SELECT ON weir.model_artifact, weir.artifact_again, weir.model_activation, weir.feature_definition,
    weir.wanted_activation, weir.wanted_artifact TO debezium;
-- The notifier reads and writes its queue, nothing else; it removes nothing.
GRANT USAGE ON SCHEMA weir TO notifier;
GRANT SELECT, INSERT, UPDATE ON weir.notification, weir.notification_source TO notifier;
-- Iceberg's clients keep their two tables, find them without a schema in front, and see nothing else.
GRANT USAGE ON SCHEMA iceberg TO iceberg;
GRANT SELECT, INSERT, UPDATE, DELETE ON iceberg.iceberg_tables, iceberg.iceberg_namespace_properties TO iceberg;
ALTER ROLE iceberg IN DATABASE weir SET search_path = iceberg;
