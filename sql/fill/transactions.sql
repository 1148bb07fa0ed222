-- What is in the topic goes to the table, with its position and its date.
INSERT INTO `iceberg`.`weir`.`transactions` (
  `transaction_id`, `event_time_ms`, `customer_id`, `amount`, `terminal_id`, `message`,
  topic_partition, topic_offset, append_time_ms, event_date
)
SELECT
  `transaction_id`, `event_time_ms`, `customer_id`, `amount`, `terminal_id`, `message`,
  topic_partition, topic_offset, append_time_ms, CAST(TO_TIMESTAMP_LTZ(`event_time_ms`, 3) AS DATE)
FROM `kafka`.`topics`.`transactions`
WHERE transaction_id IS NOT NULL
