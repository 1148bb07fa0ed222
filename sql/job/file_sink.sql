-- The twin of kafka_sink.sql for tests: lines of JSON in a folder, values in base64, complete after a checkpoint.
CREATE TEMPORARY TABLE `sink_{{topic}}` (k STRING, v BYTES) WITH (
  'connector' = 'filesystem',
  'path' = '{{path}}',
  'sink.rolling-policy.rollover-interval' = '200ms',
  'sink.rolling-policy.check-interval' = '200ms',
  'format' = 'json'
)
