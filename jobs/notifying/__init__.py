"""Notifying: alerts from their topic through a queue to a webhook."""
