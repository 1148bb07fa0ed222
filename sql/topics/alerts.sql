-- The records of the job.
CREATE TEMPORARY TABLE `kafka`.`topics`.`alerts` (
  `alert_id` STRING,
  `transaction_id` STRING,
  `event_time_ms` BIGINT,
  `rule` STRING,
  `score` DOUBLE,
  `threshold` DOUBLE,
  `model` STRING,
  `version` STRING,
  `digest` STRING,
  `reasons` STRING,
  `reason_method` STRING,
  topic_partition INT METADATA FROM 'partition' VIRTUAL,
  topic_offset BIGINT METADATA FROM 'offset' VIRTUAL,
  appended TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  append_time_ms AS EXTRACT(EPOCH FROM appended) * 1000 + EXTRACT(MILLISECOND FROM appended)
) WITH (
{{connector}}
  'value.format' = 'json'
)
