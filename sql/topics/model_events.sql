-- The records of the job.
CREATE TEMPORARY TABLE `kafka`.`topics`.`model_events` (
  `model` STRING,
  `version` STRING,
  `role` STRING,
  `digest` STRING,
  `event` STRING,
  `reason` STRING,
  `deployment_seq` BIGINT,
  `subtask_count` INT,
  `time_ms` BIGINT,
  topic_partition INT METADATA FROM 'partition' VIRTUAL,
  topic_offset BIGINT METADATA FROM 'offset' VIRTUAL,
  appended TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  append_time_ms AS EXTRACT(EPOCH FROM appended) * 1000 + EXTRACT(MILLISECOND FROM appended)
) WITH (
{{connector}}
  'value.format' = 'json'
)
