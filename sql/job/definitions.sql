-- Rows of feature_definition for the window stages, in the form of their batches: a copy for the key of each shard. The
-- keys are a column that is unnested; unnested as a constant they would be a source of their own, and a join with state.
SELECT k, ROW('weir.metadata', ARRAY[v], ARRAY[p], ARRAY[o], ARRAY[append_ms]) AS batch
FROM (SELECT v, p, o, append_ms, ARRAY[{{keys}}] AS shards FROM `weir.metadata` WHERE v LIKE '%"feature_definition"%')
CROSS JOIN UNNEST(shards) AS shard (k)
