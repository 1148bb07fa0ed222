-- Transactions as they came. One row per message that is a JSON object with a transaction_id; the others are dead letters or end a partition.
CREATE TABLE IF NOT EXISTS `iceberg`.`weir`.`transactions` (
  `transaction_id` STRING,
  `event_time_ms` BIGINT,
  `customer_id` STRING,
  `amount` DOUBLE,
  `terminal_id` STRING,
  `message` STRING COMMENT 'the whole message',
  `topic_partition` INT COMMENT 'position of the record in the topic',
  `topic_offset` BIGINT,
  `append_time_ms` BIGINT COMMENT 'when the broker took it',
  `event_date` DATE COMMENT 'UTC date of event_time_ms'
) PARTITIONED BY (`event_date`) WITH (
{{properties}})
