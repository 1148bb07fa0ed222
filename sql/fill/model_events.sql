-- What is in the topic goes to the table, with its position and its date.
INSERT INTO `iceberg`.`weir`.`model_events` (
  `model`, `version`, `role`, `digest`, `event`, `reason`, `deployment_seq`, `subtask_count`, `time_ms`,
  topic_partition, topic_offset, append_time_ms, event_date
)
SELECT
  `model`, `version`, `role`, `digest`, `event`, `reason`, `deployment_seq`, `subtask_count`, `time_ms`,
  topic_partition, topic_offset, append_time_ms, CAST(TO_TIMESTAMP_LTZ(`time_ms`, 3) AS DATE)
FROM `kafka`.`topics`.`model_events`
