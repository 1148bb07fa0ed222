"""The events of the same customer and terminal that had come before one."""

from __future__ import annotations

from typing import Any

from connectors.kafka.topic_search import TopicSearch
from jobs.explaining.json_object import json_object

__all__ = ["earlier_events"]

MOST_SHOWN = 10
MOST_LOOKED_AT = 10_000
"""Records of a partition before the event: who was silent for longer has no earlier events here."""
SHARED = ("customer_id", "terminal_id")


def earlier_events(topics: TopicSearch, event: dict[str, Any], came_ms: int) -> list[dict[str, Any]]:
    """Return the newest events with the customer or the terminal of this one and no later time, the newest first.

    Parameters
    ----------
    topics
        Where to look.
    event
        The message with its ``partition`` and ``offset``.
    came_ms
        When the broker took it, epoch milliseconds.

    Returns
    -------
    list of dict
        Each with ``shared``: which of the two it has in common.

    Raises
    ------
    ConnectionLostError
        If the broker does not answer.
    """
    wanted = {name: event[name] for name in SHARED if event.get(name) is not None}
    needles = [_needle(value) for value in wanted.values()]
    ends = {**topics.offsets_at("transactions", came_ms), event["partition"]: event["offset"]}
    earlier: dict[str, dict[str, Any]] = {}
    for step in topics.backwards("transactions", ends, MOST_LOOKED_AT):
        for record in reversed(step):
            value = record.value or b""
            if any(needle in value for needle in needles):
                _add(earlier, json_object(record), event, wanted)
        if len(earlier) >= MOST_SHOWN:
            break
    return sorted(earlier.values(), key=lambda each: -each["event_time_ms"])[:MOST_SHOWN]


def _add(
    earlier: dict[str, dict[str, Any]], other: dict[str, Any], event: dict[str, Any], wanted: dict[str, Any]
) -> None:
    time_ms, its_id = other.get("event_time_ms"), str(other.get("transaction_id"))
    shared = [name for name, value in wanted.items() if other.get(name) == value]
    if (
        shared
        and isinstance(time_ms, int)
        and time_ms <= event["event_time_ms"]
        and its_id != str(event["transaction_id"])
    ):
        earlier.setdefault(its_id, {**other, "shared": shared})


def _needle(value: object) -> bytes:
    """Return bytes that a message with this value must hold; none where JSON may write it in several ways.

    Examples
    --------
    >>> _needle("c-17"), _needle("Zoë"), _needle('a"b')
    (b'c-17', b'', b'')
    """
    text = str(value)
    return text.encode() if text.isascii() and text.isprintable() and not set(text) & set('"\\/') else b""
