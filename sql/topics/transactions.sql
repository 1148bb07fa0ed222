-- Anybody may write here: the message as it came, and its fields where they are of their type.
CREATE TEMPORARY TABLE `kafka`.`topics`.`transactions` (
  message STRING,
  `transaction_id` AS JSON_VALUE(message, '$.transaction_id'),
  `event_time_ms` AS TRY_CAST(JSON_VALUE(message, '$.event_time_ms') AS BIGINT),
  `customer_id` AS JSON_VALUE(message, '$.customer_id'),
  `amount` AS TRY_CAST(JSON_VALUE(message, '$.amount') AS DOUBLE),
  `terminal_id` AS JSON_VALUE(message, '$.terminal_id'),
  topic_partition INT METADATA FROM 'partition' VIRTUAL,
  topic_offset BIGINT METADATA FROM 'offset' VIRTUAL,
  appended TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  append_time_ms AS EXTRACT(EPOCH FROM appended) * 1000 + EXTRACT(MILLISECOND FROM appended)
) WITH (
{{connector}}
  'value.format' = 'raw'
)
