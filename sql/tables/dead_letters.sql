-- What could not be used, and where it stood; at least once, so several rows may name one position. One row per record of the topic.
CREATE TABLE IF NOT EXISTS `iceberg`.`weir`.`dead_letters` (
  `topic` STRING,
  `partition` INT,
  `offset` BIGINT,
  `reason` STRING,
  `detail` STRING,
  `payload` STRING COMMENT 'its beginning, masked',
  `payload_length` BIGINT,
  `payload_sha256` STRING,
  `time_ms` BIGINT,
  `topic_partition` INT COMMENT 'position of the record in the topic',
  `topic_offset` BIGINT,
  `append_time_ms` BIGINT COMMENT 'when the broker took it',
  `event_date` DATE COMMENT 'UTC date of time_ms'
) PARTITIONED BY (`event_date`) WITH (
{{properties}})
