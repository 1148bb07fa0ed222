-- Between a topic as a table and Kafka; what a writer has not committed is not read.
  'connector' = 'kafka',
  'topic' = '{{topic}}',
  'properties.bootstrap.servers' = '{{bootstrap}}',
  {{security}}
  'properties.group.id' = '{{group}}',
  'properties.isolation.level' = 'read_committed',
  'properties.fetch.max.bytes' = '4194304',
  {{range}}
