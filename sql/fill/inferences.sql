-- What is in the topic goes to the table, with its position and its date.
INSERT INTO `iceberg`.`weir`.`inferences` (
  `transaction_id`, `event_time_ms`, `model`, `version`, `role`, `digest`, `score`, `reason`, `feature_set`,
  `features`, `warming_up`, `late`, `excluded`, `deployment_seq`, `source_partition`, `source_offset`, `watermark_ms`,
  `ingestion_time_ms`, `prediction_time_ms`,
  topic_partition, topic_offset, append_time_ms, event_date
)
SELECT
  `transaction_id`, `event_time_ms`, `model`, `version`, `role`, `digest`, `score`, `reason`, `feature_set`,
  `features`, `warming_up`, `late`, `excluded`, `deployment_seq`, `source_partition`, `source_offset`, `watermark_ms`,
  `ingestion_time_ms`, `prediction_time_ms`,
  topic_partition, topic_offset, append_time_ms, CAST(TO_TIMESTAMP_LTZ(`event_time_ms`, 3) AS DATE)
FROM `kafka`.`topics`.`inferences`
