INSERT INTO weir.notification_source (topic, partition, next_offset) VALUES (%s, %s, %s)
ON CONFLICT (topic, partition) DO UPDATE SET next_offset = EXCLUDED.next_offset
