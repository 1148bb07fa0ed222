-- The records of the job.
CREATE TEMPORARY TABLE `kafka`.`topics`.`dead_letters` (
  `topic` STRING,
  `partition` INT,
  `offset` BIGINT,
  `reason` STRING,
  `detail` STRING,
  `payload` STRING,
  `payload_length` BIGINT,
  `payload_sha256` STRING,
  `time_ms` BIGINT,
  topic_partition INT METADATA FROM 'partition' VIRTUAL,
  topic_offset BIGINT METADATA FROM 'offset' VIRTUAL,
  appended TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  append_time_ms AS EXTRACT(EPOCH FROM appended) * 1000 + EXTRACT(MILLISECOND FROM appended)
) WITH (
{{connector}}
  'value.format' = 'json'
)
