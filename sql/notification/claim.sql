-- The alert that has been due longest, for this sender alone: rows that others are claiming are passed over. One that is
-- "sending" is due when its lease ends, so what a sender that died held comes free. The clock is the database's.
WITH clock AS (
    SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms
), due AS (
    SELECT alert_id FROM weir.notification, clock
    WHERE state IN ('queued', 'sending') AND next_attempt_ms <= now_ms
        AND (first_attempt_ms IS NOT NULL OR %(begin_another)s)
    ORDER BY next_attempt_ms, created_ms
    LIMIT 1
    FOR UPDATE OF notification SKIP LOCKED
)
UPDATE weir.notification AS claimed
SET state = 'sending', attempts = attempts + 1, next_attempt_ms = now_ms + %(lease_ms)s,
    first_attempt_ms = coalesce(first_attempt_ms, now_ms)
FROM due, clock
WHERE claimed.alert_id = due.alert_id
RETURNING claimed.alert_id, claimed.payload, claimed.attempts
