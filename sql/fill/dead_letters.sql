-- What is in the topic goes to the table, with its position and its date.
INSERT INTO `iceberg`.`weir`.`dead_letters` (
  `topic`, `partition`, `offset`, `reason`, `detail`, `payload`, `payload_length`, `payload_sha256`, `time_ms`,
  topic_partition, topic_offset, append_time_ms, event_date
)
SELECT
  `topic`, `partition`, `offset`, `reason`, `detail`, `payload`, `payload_length`, `payload_sha256`, `time_ms`,
  topic_partition, topic_offset, append_time_ms, CAST(TO_TIMESTAMP_LTZ(`time_ms`, 3) AS DATE)
FROM `kafka`.`topics`.`dead_letters`
