-- A session over the tables: questions of what is there now, answered on the slot that is kept free for them.
-- For a question that never ends: SET 'execution.runtime-mode' = 'streaming';
SET 'execution.runtime-mode' = 'batch';
SET 'pipeline.name' = 'weir-sql';
-- A question that fails has failed; the cluster's own strategy would ask it for ever.
SET 'restart-strategy.type' = 'none';
SET 'parallelism.default' = '1';
SET 'table.exec.resource.default-parallelism' = '1';
SET 'table.exec.iceberg.infer-source-parallelism' = 'false';
SET 'table.local-time-zone' = 'UTC';
SET 'table.dml-sync' = 'true';
SET 'sql-client.execution.result-mode' = 'tableau';
SET 'table.display.max-column-width' = '256';
