-- How long a score took, in milliseconds: from the event to its score, from the broker taking the transaction to its score, and
-- from there until the inference, committed, was in its topic.
CREATE TEMPORARY VIEW `iceberg`.`weir`.`latency_by_day`
COMMENT 'Latency per version, role and day of ingestion: p50 and p99 of three stretches'
AS SELECT
  `model`, `version`, `role`, CAST(TO_TIMESTAMP_LTZ(`ingestion_time_ms`, 3) AS DATE) AS ingestion_date, COUNT(*) AS inferences,
  PERCENTILE(`prediction_time_ms` - `event_time_ms`, 0.5e0) AS event_to_score_p50_ms,
  PERCENTILE(`prediction_time_ms` - `event_time_ms`, 0.99e0) AS event_to_score_p99_ms,
  PERCENTILE(`prediction_time_ms` - `ingestion_time_ms`, 0.5e0) AS ingestion_to_score_p50_ms,
  PERCENTILE(`prediction_time_ms` - `ingestion_time_ms`, 0.99e0) AS ingestion_to_score_p99_ms,
  PERCENTILE(`append_time_ms` - `ingestion_time_ms`, 0.5e0) AS ingestion_to_topic_p50_ms,
  PERCENTILE(`append_time_ms` - `ingestion_time_ms`, 0.99e0) AS ingestion_to_topic_p99_ms
FROM `iceberg`.`weir`.`inferences`
WHERE `score` IS NOT NULL
GROUP BY `model`, `version`, `role`, CAST(TO_TIMESTAMP_LTZ(`ingestion_time_ms`, 3) AS DATE)
