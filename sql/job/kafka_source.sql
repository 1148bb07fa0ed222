-- A topic as the job reads it: the value, its position, the broker's append time, event time and its watermark.
CREATE TEMPORARY TABLE `{{topic}}` (
  {{value}},
  p INT METADATA FROM 'partition' VIRTUAL,
  o BIGINT METADATA FROM 'offset' VIRTUAL,
  appended TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  append_ms AS {{append_ms}},
  rowtime AS {{rowtime}},
  proctime AS PROCTIME(),
  WATERMARK FOR rowtime AS rowtime - {{delay}}
) WITH (
  'connector' = 'kafka',
  'topic' = '{{topic}}',
  'properties.bootstrap.servers' = '{{bootstrap}}',
  {{security}}
  'properties.group.id' = '{{group}}',
  'properties.isolation.level' = 'read_committed',
  'properties.fetch.max.bytes' = '262144',
  'scan.startup.mode' = 'earliest-offset',
  {{options}}
  'value.format' = '{{format}}'
)
