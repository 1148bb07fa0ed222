UPDATE weir.notification SET state = 'queued', attempts = 0, next_attempt_ms = 0 WHERE state = 'dead'
