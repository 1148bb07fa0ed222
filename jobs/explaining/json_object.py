"""A record's message with where it stood."""

from __future__ import annotations

from typing import Any

import orjson

from connectors.kafka.record import Record

__all__ = ["json_object"]


def json_object(record: Record) -> dict[str, Any]:
    """Return a record's JSON object with its ``partition`` and ``offset``; an empty one where it is none.

    Examples
    --------
    >>> json_object(Record(1, 7, 0, None, b'{"amount": 2.5}'))
    {'amount': 2.5, 'partition': 1, 'offset': 7}
    >>> json_object(Record(1, 8, 0, None, b"{")), json_object(Record(1, 9, 0, None, None))
    ({}, {})
    """
    try:
        message = orjson.loads(record.value or b"null")
    except orjson.JSONDecodeError:
        return {}  # a dead letter's business
    return {**message, "partition": record.partition, "offset": record.offset} if isinstance(message, dict) else {}
