-- A topic in Avro: its fields are columns. Of a transaction there is the message, too, as it would have been in JSON.
CREATE TEMPORARY TABLE `kafka`.`topics`.`{{topic}}` (
  {{columns}},
  topic_partition INT METADATA FROM 'partition' VIRTUAL,
  topic_offset BIGINT METADATA FROM 'offset' VIRTUAL,
  appended TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  append_time_ms AS EXTRACT(EPOCH FROM appended) * 1000 + EXTRACT(MILLISECOND FROM appended)
) WITH (
{{connector}}
  'value.format' = 'avro'
)
