-- What is in the topic goes to the table, with its position and its date.
INSERT INTO `iceberg`.`weir`.`truths` (
  `transaction_id`, `label`, `revision`, `truth_time_ms`, `event_time_ms`, `customer_id`, `terminal_id`, `intervened`,
  topic_partition, topic_offset, append_time_ms, event_date
)
SELECT
  `transaction_id`, `label`, `revision`, `truth_time_ms`, `event_time_ms`, `customer_id`, `terminal_id`, `intervened`,
  topic_partition, topic_offset, append_time_ms, CAST(TO_TIMESTAMP_LTZ(`event_time_ms`, 3) AS DATE)
FROM `kafka`.`topics`.`truths`
WHERE transaction_id IS NOT NULL
