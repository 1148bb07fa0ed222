-- A shard's payloads of a moment as one: nobody waits for a joined truth, and the join is called that much less often.
SELECT k, '[' || ARRAY_JOIN(ARRAY_AGG(v), ',') || ']' AS v
FROM TABLE(TUMBLE(TABLE joinable, DESCRIPTOR(proctime), {{batch}}))
GROUP BY k, window_start, window_end
