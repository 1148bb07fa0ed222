-- The queue of the notifier. alert_id is the customer's "once": an alert enters once, whatever is replayed.

CREATE TABLE weir.notification (
    alert_id        text   PRIMARY KEY,               -- sha256(transaction_id, rule), the webhook's idempotency key
    transaction_id  text   NOT NULL,
    payload         jsonb  NOT NULL,
    state           text   NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sending', 'sent', 'failed')),
    attempts        int    NOT NULL DEFAULT 0,
    next_attempt_ms bigint NOT NULL DEFAULT 0,
    last_error      text,
    created_ms      bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
    sent_ms         bigint
);
CREATE INDEX notification_due ON weir.notification (next_attempt_ms) WHERE state IN ('queued', 'sending');
