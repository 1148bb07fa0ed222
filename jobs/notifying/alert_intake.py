"""Moves alerts from their topic into the queue, from where the queue stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from connectors.kafka.record import Record
from connectors.kafka.topic_cursor import TopicCursor
from connectors.postgres.notification_queue import NotificationQueue
from udfs.domain.errors import ConnectionLostError

__all__ = ["AlertIntake"]

TOPIC = "alerts"
LONGEST_KEY = 200


class AlertIntake:
    """One program's way from the topic into the queue; several may run at once, each alert still enters once.

    Parameters
    ----------
    bootstrap
        Address of a broker.
    queue
        Where alerts go; it also knows where to begin.
    """

    def __init__(self, bootstrap: str, queue: NotificationQueue) -> None:
        self._bootstrap, self._queue = bootstrap, queue
        self._cursor: TopicCursor | None = None
        self.unreadable = 0

    def close(self) -> None:
        """Leave the broker."""
        if self._cursor is not None:
            self._cursor.close()
            self._cursor = None

    def take(self, timeout_s: float) -> int:
        """Queue what has come, waiting so many seconds for the first of it; return how many alerts were new.

        Raises
        ------
        ConnectionLostError
            If Kafka or PostgreSQL does not answer; the next call begins at the place the queue has noted.
        """
        try:
            if self._cursor is None:
                self._cursor = TopicCursor(self._bootstrap, {TOPIC: self._queue.places(TOPIC)})
            records = self._cursor.poll(timeout_s)
            if not records:
                return 0
            alerts = self._alerts(record for _, record in records)
            return self._queue.enqueue(alerts, TOPIC, self._cursor.places(TOPIC))
        except ConnectionLostError:
            self.close()
            raise

    def behind(self) -> int | None:
        """Return how many offsets of the topic have not been queued; None while Kafka is away."""
        try:
            return self._cursor.behind() if self._cursor is not None else None
        except ConnectionLostError:
            return None

    def _alerts(self, records: Iterable[Record]) -> list[dict[str, Any]]:
        """Return the alerts; what is none is counted and left behind, so that it stops nobody."""
        alerts = []
        for record in records:
            alert = _object(record.value)
            key = alert.get("alert_id")
            if isinstance(key, str) and 0 < len(key) <= LONGEST_KEY and isinstance(alert.get("transaction_id"), str):
                alerts.append(alert)
            else:
                self.unreadable += 1
        return alerts


def _object(value: bytes | None) -> dict[str, Any]:
    # PostgreSQL's jsonb has no NUL character, neither raw nor escaped.
    if value is None or b"\\u0000" in value:
        return {}
    try:
        found = orjson.loads(value)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
