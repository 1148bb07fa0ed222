-- A success counts even if the lease has passed to another sender, whose own mark then changes nothing.
UPDATE weir.notification
SET state = 'sent', sent_ms = (extract(epoch FROM clock_timestamp()) * 1000)::bigint, last_error = NULL
WHERE alert_id = %s AND state <> 'sent'
