"""The stream that the cost of windows is measured with: entities with N transactions each in the 30 days of a window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["entity_stream"]

DAY_MS = 86_400_000


def entity_stream(size: int, entities: int, start_ms: int = 0) -> Iterator[list[Any]]:
    """Yield one round of all entities at a time, for ever: the truths known by then, then a transaction of each.

    Parameters
    ----------
    size
        Rounds in 30 days of event time, and so transactions of an entity in its longest window.
    entities
        Customers; each has its own terminal.
    start_ms
        Event time of the first round, epoch milliseconds.
    """
    number, told = 0, []
    step_ms = 30 * DAY_MS // size
    for turn in range(10**9):
        batch = []
        now_ms = start_ms + turn * step_ms
        for entity in range(entities):
            number += 1
            batch.append(_transaction(number, now_ms + entity, entity))
            if number % 125 == 0:
                told.append(_fraud(batch[-1]))
        yield [*(each for each in told if each["truth_time_ms"] <= now_ms), *batch]
        told = [each for each in told if each["truth_time_ms"] > now_ms]


def _transaction(number: int, time_ms: int, entity: int) -> dict[str, Any]:
    """Make a transaction of a customer and a terminal of the same number."""
    return {
        "kind": "transaction", "partition": 0, "offset": number, "ingestion_time_ms": time_ms,
        "transaction_id": str(number), "event_time_ms": time_ms, "customer_id": f"c{entity}",
        "terminal_id": f"k{entity}", "amount": 57.16 + number % 7, "fields": {}, "features": {}, "late": False,
        "warming_up": False,
    }  # fmt: skip


def _fraud(of: dict[str, Any]) -> dict[str, Any]:
    """Make the truth that a transaction was a fraud, known after six days and 23 hours."""
    told = {"kind": "truth", "label": 1, "revision": 0, "truth_time_ms": of["event_time_ms"] + 7 * DAY_MS - 3_600_000}
    return of | told | {"intervened": False}
