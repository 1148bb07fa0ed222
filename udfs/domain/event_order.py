"""The one order in which ``order = event_time`` takes events, whatever order they came in."""

from __future__ import annotations

from collections.abc import Iterable

from udfs.domain.event import Transaction, Truth

__all__ = ["in_event_order", "time_of"]


def in_event_order(events: Iterable[Transaction | Truth]) -> list[Transaction | Truth]:
    """Return the events by time, truths before transactions, then by transaction_id.

    A truth's time is ``truth_time_ms``: the moment it is known from. What is still equal (a repeated transaction, two
    revisions told at once) follows revision, partition and offset, so the order never depends on the input's.

    Examples
    --------
    >>> transaction = {"kind": "transaction", "transaction_id": "a", "event_time_ms": 5, "partition": 0, "offset": 0}
    >>> truth = {"kind": "truth", "transaction_id": "b", "truth_time_ms": 5, "event_time_ms": 1, "revision": 0,
    ...          "partition": 0, "offset": 0}
    >>> [event["transaction_id"] for event in in_event_order([transaction, truth])]
    ['b', 'a']
    """
    return sorted(events, key=_place)


def time_of(event: Transaction | Truth) -> int:
    """Return when an event takes its place: a truth when it is known, epoch milliseconds."""
    return event["truth_time_ms"] if event["kind"] == "truth" else event["event_time_ms"]


def _place(event: Transaction | Truth) -> tuple[int, int, str, int, int, int]:
    kind, revision = (0, event["revision"]) if event["kind"] == "truth" else (1, 0)
    return time_of(event), kind, event["transaction_id"], revision, event["partition"], event["offset"]
