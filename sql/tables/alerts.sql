-- What was raised by the champion; at least once, so several rows may have one alert_id. One row per record of the topic.
CREATE TABLE IF NOT EXISTS `iceberg`.`weir`.`alerts` (
  `alert_id` STRING,
  `transaction_id` STRING,
  `event_time_ms` BIGINT,
  `rule` STRING,
  `score` DOUBLE,
  `threshold` DOUBLE,
  `model` STRING,
  `version` STRING,
  `digest` STRING,
  `reasons` STRING COMMENT 'JSON, as in the topic',
  `reason_method` STRING,
  `topic_partition` INT COMMENT 'position of the record in the topic',
  `topic_offset` BIGINT,
  `append_time_ms` BIGINT COMMENT 'when the broker took it',
  `event_date` DATE COMMENT 'UTC date of event_time_ms'
) PARTITIONED BY (`event_date`) WITH (
{{properties}})
