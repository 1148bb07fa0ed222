-- The engine's own ceiling: one window of seven days by customer over the transactions that are there, JSON to JSON.
SET 'execution.runtime-mode' = 'streaming';
SET 'pipeline.name' = 'over-window';
SET 'parallelism.default' = '2';
SET 'table.exec.resource.default-parallelism' = '2';
CREATE TEMPORARY TABLE over_window_source (
  transaction_id STRING,
  customer_id STRING,
  amount DOUBLE,
  event_time_ms BIGINT,
  event_time AS TO_TIMESTAMP_LTZ(event_time_ms, 3),
  WATERMARK FOR event_time AS event_time - INTERVAL '1' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'transactions',
  'properties.bootstrap.servers' = '{{bootstrap}}',
  'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset',
  'format' = 'json'
);
CREATE TEMPORARY TABLE over_window_sink (
  transaction_id STRING,
  transactions BIGINT,
  mean_amount DOUBLE
) WITH (
  'connector' = 'kafka',
  'topic' = 'features',
  'properties.bootstrap.servers' = '{{bootstrap}}',
  'format' = 'json'
);
INSERT INTO over_window_sink
SELECT transaction_id, COUNT(*) OVER week, AVG(amount) OVER week
FROM over_window_source
WINDOW week AS (
  PARTITION BY customer_id ORDER BY event_time
  RANGE BETWEEN INTERVAL '7' DAY PRECEDING AND CURRENT ROW
);
