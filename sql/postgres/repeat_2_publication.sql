-- What Debezium may read. The connector has publication.autocreate.mode = disabled: the owner says what leaves.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = 'weir_metadata') THEN
        CREATE PUBLICATION weir_metadata;
    END IF;
END $$;
ALTER PUBLICATION weir_metadata SET TABLE weir.model_artifact, weir.artifact_again, weir.model_activation,
    weir.feature_definition;
