-- What each version said of each transaction. One row per record of the topic.
CREATE TABLE IF NOT EXISTS `iceberg`.`weir`.`inferences` (
  `transaction_id` STRING COMMENT 'the transaction',
  `event_time_ms` BIGINT,
  `model` STRING,
  `version` STRING,
  `role` STRING COMMENT 'champion, or a challenger''s name',
  `digest` STRING COMMENT 'sha256 of the artifact that scored',
  `score` DOUBLE COMMENT 'null with a reason',
  `reason` STRING,
  `feature_set` STRING,
  `features` MAP<STRING, DOUBLE>,
  `warming_up` BOOLEAN,
  `late` BOOLEAN,
  `excluded` BOOLEAN COMMENT 'the version was trained on this transaction',
  `deployment_seq` BIGINT,
  `source_partition` INT COMMENT 'position of the transaction in its topic',
  `source_offset` BIGINT,
  `watermark_ms` BIGINT,
  `ingestion_time_ms` BIGINT,
  `prediction_time_ms` BIGINT,
  `topic_partition` INT COMMENT 'position of the record in the topic',
  `topic_offset` BIGINT,
  `append_time_ms` BIGINT COMMENT 'when the broker took it',
  `event_date` DATE COMMENT 'UTC date of event_time_ms'
) PARTITIONED BY (`event_date`) WITH (
{{properties}})
