-- Raw records with the key of their customer's shard, one key per Flink key group.
CREATE TEMPORARY VIEW `sharded_{{topic}}` AS
SELECT
  ARRAY[{{keys}}][MOD(MOD(HASH_CODE(COALESCE(customer, '')), {{shards}}) + {{shards}}, {{shards}}) + 1] AS k,
  v, p, o, append_ms, proctime, rowtime, CURRENT_WATERMARK(rowtime) AS watermark_here
FROM `{{topic}}`
