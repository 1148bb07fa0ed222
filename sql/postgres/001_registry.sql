-- The registry the job reads through Debezium: what a model is (its bytes) and where it is deployed (its activations).
-- Rows are only ever added. A change is a new row with a higher deployment_seq; nothing can rewrite what once scored.

CREATE TABLE weir.model_artifact (
    digest     text   NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),  -- sha256 of the whole compressed artifact, hex
    part       int    NOT NULL,                                    -- 0 .. parts - 1
    parts      int    NOT NULL CHECK (parts BETWEEN 1 AND 8),      -- how many rows make the artifact whole
    bytes      bytea  NOT NULL CHECK (octet_length(bytes) BETWEEN 1 AND 524288),
    created_ms bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
    PRIMARY KEY (digest, part),
    CHECK (part BETWEEN 0 AND parts - 1)
);
-- Artifacts are compressed already; a second compression costs time at every snapshot and gains nothing.
ALTER TABLE weir.model_artifact ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE SEQUENCE weir.deployment_seq;

CREATE TABLE weir.model_activation (
    deployment_seq    bigint  PRIMARY KEY,           -- given by weir.number_activation(), in commit order
    model             text    NOT NULL CHECK (model <> ''),
    role              text    NOT NULL CHECK (role <> ''),     -- champion, or the name of a challenger: MLflow's alias
    version           text    NOT NULL CHECK (version <> ''),
    digest            text    NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    threshold         double precision,              -- alerts of the champion from this score on; NULL raises none
    effective_from_ms bigint  NOT NULL DEFAULT 0,    -- event time, read only by activation = event_time
    retired           boolean NOT NULL DEFAULT false,
    who               text    NOT NULL DEFAULT '',
    why               text    NOT NULL DEFAULT '',
    created_ms        bigint  NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
    CHECK (threshold IS NULL OR (threshold > '-Infinity' AND threshold < 'Infinity')),
    CHECK (effective_from_ms >= 0),
    CHECK (NOT (retired AND role = 'champion'))      -- the champion is never retired to nothing
);
CREATE INDEX model_activation_role ON weir.model_activation (model, role, deployment_seq DESC);

CREATE VIEW weir.model_deployment AS
SELECT DISTINCT ON (model, role) *
FROM weir.model_activation
ORDER BY model, role, deployment_seq DESC;
