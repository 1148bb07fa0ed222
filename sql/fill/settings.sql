-- The tables job as Flink sees it. A commit of every table comes with each checkpoint.
SET 'execution.runtime-mode' = 'streaming';
SET 'pipeline.name' = '{{name}}';
SET 'parallelism.default' = '1';
SET 'table.local-time-zone' = 'UTC';
SET 'table.dml-sync' = 'false';
SET 'execution.checkpointing.interval' = '{{checkpoint_interval_ms}} ms';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'execution.checkpointing.tolerable-failed-checkpoints' = '1000';
-- Iceberg's newer sink: it also compacts what it wrote.
SET 'table.exec.iceberg.use-v2-sink' = 'true';
