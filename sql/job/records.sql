-- One row per Kafka record of a batch, from the pair of its key and value. A step of SQL copies each array it names for each
-- row it makes: a pair is copied once, where arrays of all keys and values would be copied for each record.
SELECT CAST(record[1] AS STRING) AS k, record[2] AS v
FROM scored CROSS JOIN UNNEST({{topic}}) AS records (record)
