-- Held to the end of the transaction, and taken in a statement of its own: what is counted next sees what the one before
-- has committed, so two senders cannot both take the last place of the day.
SELECT pg_advisory_xact_lock(hashtext('weir.notification'))
