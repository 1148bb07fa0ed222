-- What is in the topic goes to the table, with its position and its date.
INSERT INTO `iceberg`.`weir`.`model_quality` (
  `model`, `version`, `role`, `series`, `window`, `window_start_ms`, `window_end_ms`, `roc_auc`, `reason`,
  `error_bound`, `ci_low`, `ci_high`, `average_precision`, `average_precision_error`, `false_positive_rate`,
  `recall_at_fpr`, `recall_at_fpr_error`, `positives`, `negatives`, `presumed`, `labelled`, `scored`, `coverage`,
  `excluded`, `intervened`, `set_aside`, `label_delay_p50_ms`, `label_delay_p90_ms`, `revision`, `final`,
  topic_partition, topic_offset, append_time_ms, event_date
)
SELECT
  `model`, `version`, `role`, `series`, `window`, `window_start_ms`, `window_end_ms`, `roc_auc`, `reason`,
  `error_bound`, `ci_low`, `ci_high`, `average_precision`, `average_precision_error`, `false_positive_rate`,
  `recall_at_fpr`, `recall_at_fpr_error`, `positives`, `negatives`, `presumed`, `labelled`, `scored`, `coverage`,
  `excluded`, `intervened`, `set_aside`, `label_delay_p50_ms`, `label_delay_p90_ms`, `revision`, `final`,
  topic_partition, topic_offset, append_time_ms, CAST(TO_TIMESTAMP_LTZ(`window_start_ms`, 3) AS DATE)
FROM `kafka`.`topics`.`model_quality`
