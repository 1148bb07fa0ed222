-- order = arrival: what came within a few milliseconds for one shard is one record, collected in the JVM.
SELECT k, ROW('{{topic}}', ARRAY_AGG(v), ARRAY_AGG(p), ARRAY_AGG(o), ARRAY_AGG(append_ms)) AS batch
FROM TABLE(TUMBLE(TABLE `sharded_{{topic}}`, DESCRIPTOR(proctime), {{batch}}))
GROUP BY k, window_start, window_end
