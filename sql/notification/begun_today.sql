-- Alerts first tried since midnight UTC.
SELECT count(*) FROM weir.notification
WHERE first_attempt_ms >= (extract(epoch FROM date_trunc('day', now() AT TIME ZONE 'UTC')) * 1000)::bigint
