-- What weir retrain decided, a readable row for each decision; also those of dry runs, which changed nothing.

CREATE TABLE weir.retraining_decision (
    decision_seq bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model        text    NOT NULL CHECK (model <> ''),
    action       text    NOT NULL CHECK (action IN ('train', 'skip', 'promote', 'retire', 'wait', 'rollback', 'keep')),
    version      text,                               -- the version it is about; NULL where none came of it
    other        text,                               -- the version it was compared with, or went on from
    reason       text    NOT NULL CHECK (reason <> ''),
    difference   double precision,                   -- ROC AUC of version less that of other, on the same transactions
    ci_low       double precision,                   -- DeLong's paired interval of it
    ci_high      double precision,
    positives    bigint,                             -- frauds and genuine transactions it was judged by
    negatives    bigint,
    tag          text,                               -- of the snapshots trained on
    dry_run      boolean NOT NULL DEFAULT false,
    who          text    NOT NULL DEFAULT '',
    created_ms   bigint  NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint
);
CREATE INDEX retraining_decision_model ON weir.retraining_decision (model, decision_seq DESC);
