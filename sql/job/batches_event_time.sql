-- order = event_time: a shard's records of one window of event time, released when the watermark has passed it. What is
-- behind the watermark already would be dropped by that window: it goes on at once, so that no record is ever lost.
SELECT k, ROW('{{topic}}', ARRAY_AGG(v), ARRAY_AGG(p), ARRAY_AGG(o), ARRAY_AGG(append_ms)) AS batch
FROM TABLE(TUMBLE(TABLE `sharded_{{topic}}`, DESCRIPTOR(rowtime), {{event_time_batch}}))
WHERE watermark_here IS NULL OR rowtime > watermark_here
GROUP BY k, window_start, window_end
UNION ALL
SELECT k, ROW('{{topic}}', ARRAY_AGG(v), ARRAY_AGG(p), ARRAY_AGG(o), ARRAY_AGG(append_ms)) AS batch
FROM TABLE(TUMBLE(TABLE `sharded_{{topic}}`, DESCRIPTOR(proctime), {{batch}}))
WHERE watermark_here IS NOT NULL AND rowtime <= watermark_here
GROUP BY k, window_start, window_end
