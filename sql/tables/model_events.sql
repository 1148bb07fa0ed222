-- What became of each deployment: pending, activated, rejected or retired. One row per record of the topic.
CREATE TABLE IF NOT EXISTS `iceberg`.`weir`.`model_events` (
  `model` STRING,
  `version` STRING,
  `role` STRING,
  `digest` STRING,
  `event` STRING,
  `reason` STRING,
  `deployment_seq` BIGINT,
  `subtask_count` INT,
  `time_ms` BIGINT,
  `topic_partition` INT COMMENT 'position of the record in the topic',
  `topic_offset` BIGINT,
  `append_time_ms` BIGINT COMMENT 'when the broker took it',
  `event_date` DATE COMMENT 'UTC date of time_ms'
) PARTITIONED BY (`event_date`) WITH (
{{properties}})
