-- MLflow keeps its own tables in schema public and may not write to weir (its alias trigger does that for it).
GRANT USAGE, CREATE ON SCHEMA public TO mlflow;
-- Debezium reads what is published, nothing else.
GRANT USAGE ON SCHEMA weir TO debezium;
GRANT SELECT ON weir.model_artifact, weir.model_activation, weir.feature_definition TO debezium;
