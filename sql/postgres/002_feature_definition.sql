-- What a feature set was when a model was trained on it; a change of meaning is a new version.

CREATE TABLE weir.feature_definition (
    name       text   NOT NULL CHECK (name <> ''),
    version    int    NOT NULL CHECK (version >= 1),
    hash       text   NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'),  -- sha256 of the canonical JSON of the definition
    definition jsonb  NOT NULL,
    created_ms bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
    PRIMARY KEY (name, version)
);
