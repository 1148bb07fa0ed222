-- What will still be sent today: everything, or, when the day's budget is spent, what has been begun.
SELECT count(*) FROM weir.notification
WHERE state IN ('queued', 'sending') AND (first_attempt_ms IS NOT NULL OR %s)
