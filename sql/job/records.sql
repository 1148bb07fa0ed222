-- One row per Kafka record: each string is the JSON value, a line feed, and the key.
SELECT SUBSTRING(record, POSITION(CHR(10) IN record) + 1) AS k, SPLIT_INDEX(record, CHR(10), 0) AS v
FROM scored CROSS JOIN UNNEST({{column}}) AS records (record)
