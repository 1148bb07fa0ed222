-- The twin of kafka_sink.sql for tests: lines of JSON in a folder, complete after a checkpoint.
CREATE TEMPORARY TABLE `sink_{{topic}}` (k STRING, v STRING) WITH (
  'connector' = 'filesystem',
  'path' = '{{path}}',
  'sink.rolling-policy.rollover-interval' = '200ms',
  'sink.rolling-policy.check-interval' = '200ms',
  'format' = 'json'
)
