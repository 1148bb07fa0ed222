"""Webhooks: signed calls that carry an idempotency key."""
