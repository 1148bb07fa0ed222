-- An alert that is there already, queued or sent or dead, stays as it is.
INSERT INTO weir.notification (alert_id, transaction_id, payload) VALUES (%s, %s, %s)
ON CONFLICT (alert_id) DO NOTHING
