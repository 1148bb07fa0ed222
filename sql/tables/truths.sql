-- What transactions turned out to be; a higher revision replaces a lower. One row per message that is a JSON object with a transaction_id.
CREATE TABLE IF NOT EXISTS `iceberg`.`weir`.`truths` (
  `transaction_id` STRING,
  `label` INT COMMENT '1 is fraud',
  `revision` BIGINT,
  `truth_time_ms` BIGINT,
  `event_time_ms` BIGINT,
  `customer_id` STRING,
  `terminal_id` STRING,
  `intervened` BOOLEAN,
  `topic_partition` INT COMMENT 'position of the record in the topic',
  `topic_offset` BIGINT,
  `append_time_ms` BIGINT COMMENT 'when the broker took it',
  `event_date` DATE COMMENT 'UTC date of event_time_ms'
) PARTITIONED BY (`event_date`) WITH (
{{properties}})
