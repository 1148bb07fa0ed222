-- The twin of kafka_source.sql for tests: lines of JSON in a folder that is watched, with positions written out.
CREATE TEMPORARY TABLE `{{topic}}` (
  v STRING,
  customer AS JSON_VALUE(v, '$.customer_id'),
  p INT,
  o BIGINT,
  append_ms BIGINT,
  rowtime AS {{rowtime}},
  proctime AS PROCTIME(),
  WATERMARK FOR rowtime AS rowtime - {{delay}}
) WITH (
  'connector' = 'filesystem',
  'path' = '{{path}}',
  'source.monitor-interval' = '100ms',
  'format' = 'json'
)
