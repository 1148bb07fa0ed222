"""The newest row of every window of ``model_quality``, kept while the topic is followed."""

from __future__ import annotations

import threading
from typing import Any

import orjson

from connectors.kafka.record import Record

__all__ = ["QualityBoard"]

MOST_ROWS = 100_000


class QualityBoard:
    """Rows by window and version; a later one replaces an earlier.

    Examples
    --------
    >>> board = QualityBoard()
    >>> row = b'{"model": "m", "version": "1", "role": "champion", "series": "event_time", "window_start_ms": 0, '
    >>> board.take(Record(0, 0, 0, None, row + b'"window_end_ms": 9, "roc_auc": 0.5}'))
    >>> board.take(Record(0, 1, 0, None, row + b'"window_end_ms": 9, "roc_auc": 0.75}'))
    >>> [each["roc_auc"] for each in board.rows(version="1")], board.rows(version="2")
    ([0.75], [])
    """

    def __init__(self) -> None:
        self._rows: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._lock = threading.Lock()

    def take(self, record: Record) -> None:
        """Take a record of the topic."""
        row = orjson.loads(record.value or b"{}")
        names = ("model", "version", "role", "series", "window_start_ms", "window_end_ms")
        if not all(name in row for name in names):
            return
        key = tuple(row[name] for name in names)
        with self._lock:
            self._rows.pop(key, None)  # so that the oldest to have been told is the first to go
            self._rows[key] = row
            if len(self._rows) > MOST_ROWS:
                del self._rows[next(iter(self._rows))]

    def rows(
        self, since_ms: int | None = None, until_ms: int | None = None, **wanted: str | None
    ) -> list[dict[str, Any]]:
        """Return the rows whose named fields are as wanted and whose window begins in [since, until), by window."""
        with self._lock:
            rows = list(self._rows.values())
        chosen = [
            row
            for row in rows
            if all(value is None or row[name] == value for name, value in wanted.items())
            and (since_ms is None or row["window_start_ms"] >= since_ms)
            and (until_ms is None or row["window_start_ms"] < until_ms)
        ]
        return sorted(
            chosen, key=lambda row: (row["window_start_ms"], row["window_end_ms"], row["version"], row["role"])
        )
