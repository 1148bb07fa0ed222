-- Only while the lease is still this attempt's: a sender that was overtaken changes nothing.
UPDATE weir.notification
SET state = CASE WHEN %(dead)s THEN 'dead' ELSE 'queued' END, last_error = %(error)s,
    next_attempt_ms = (extract(epoch FROM clock_timestamp()) * 1000)::bigint + %(wait_ms)s
WHERE alert_id = %(alert_id)s AND attempts = %(attempts)s AND state = 'sending'
