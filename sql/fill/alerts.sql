-- What is in the topic goes to the table, with its position and its date.
INSERT INTO `iceberg`.`weir`.`alerts` (
  `alert_id`, `transaction_id`, `event_time_ms`, `rule`, `score`, `threshold`, `model`, `version`, `digest`,
  `reasons`, `reason_method`,
  topic_partition, topic_offset, append_time_ms, event_date
)
SELECT
  `alert_id`, `transaction_id`, `event_time_ms`, `rule`, `score`, `threshold`, `model`, `version`, `digest`,
  `reasons`, `reason_method`,
  topic_partition, topic_offset, append_time_ms, CAST(TO_TIMESTAMP_LTZ(`event_time_ms`, 3) AS DATE)
FROM `kafka`.`topics`.`alerts`
