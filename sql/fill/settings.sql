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
SET 'flink-maintenance.rewrite.enabled' = '{{compaction}}';
SET 'flink-maintenance.rewrite.schedule.data-file-count' = '100';
SET 'flink-maintenance.rewrite.schedule.interval-second' = '{{compaction_s}}';
SET 'flink-maintenance.expire-snapshots.enabled' = '{{compaction}}';
SET 'flink-maintenance.expire-snapshots.max-snapshot-age-seconds' = '{{snapshot_age_s}}';
SET 'flink-maintenance.expire-snapshots.retain-last' = '20';
