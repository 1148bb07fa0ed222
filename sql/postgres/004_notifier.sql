-- The notifier's states are queued, sending, sent and dead; its place in the topic alerts is kept where the alerts are.

ALTER TABLE weir.notification DROP CONSTRAINT notification_state_check;
UPDATE weir.notification SET state = 'dead' WHERE state = 'failed';
ALTER TABLE weir.notification ADD CONSTRAINT notification_state_check
    CHECK (state IN ('queued', 'sending', 'sent', 'dead'));
-- When it was first tried; the daily budget counts these.
ALTER TABLE weir.notification ADD COLUMN first_attempt_ms bigint;
CREATE INDEX notification_first_attempt ON weir.notification (first_attempt_ms);

CREATE TABLE weir.notification_source (
    topic       text   NOT NULL,
    partition   int    NOT NULL,
    next_offset bigint NOT NULL,   -- written in the transaction that queues the alerts before it
    PRIMARY KEY (topic, partition)
);
