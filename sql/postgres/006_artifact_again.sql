-- An artifact's rows once more: a job that let its bytes go gets them ahead of the activation that names them. Rows are
-- written and removed in one transaction, by weir.send_again(): the table is empty to whoever looks, and Debezium carries what
-- was written.

CREATE TABLE weir.artifact_again (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest    text  NOT NULL,
    part      int   NOT NULL,
    parts     int   NOT NULL,
    bytes     bytea NOT NULL,
    signature bytea
);
ALTER TABLE weir.artifact_again ALTER COLUMN bytes SET STORAGE EXTERNAL;
