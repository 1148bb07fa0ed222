-- One row per Kafka record of a batch: its key stands in the array of keys where its value stands in the array of values.
SELECT {{topic}}_keys[CAST(place AS INT)] AS k, record AS v
FROM scored CROSS JOIN UNNEST({{topic}}) WITH ORDINALITY AS records (record, place)
