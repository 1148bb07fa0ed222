-- The records of the job.
CREATE TEMPORARY TABLE `kafka`.`topics`.`inferences` (
  `transaction_id` STRING,
  `event_time_ms` BIGINT,
  `model` STRING,
  `version` STRING,
  `role` STRING,
  `digest` STRING,
  `score` DOUBLE,
  `reason` STRING,
  `feature_set` STRING,
  `features` MAP<STRING, DOUBLE>,
  `warming_up` BOOLEAN,
  `late` BOOLEAN,
  `excluded` BOOLEAN,
  `deployment_seq` BIGINT,
  `source_partition` INT,
  `source_offset` BIGINT,
  `watermark_ms` BIGINT,
  `ingestion_time_ms` BIGINT,
  `prediction_time_ms` BIGINT,
  topic_partition INT METADATA FROM 'partition' VIRTUAL,
  topic_offset BIGINT METADATA FROM 'offset' VIRTUAL,
  appended TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  append_time_ms AS EXTRACT(EPOCH FROM appended) * 1000 + EXTRACT(MILLISECOND FROM appended)
) WITH (
{{connector}}
  'value.format' = 'json'
)
