"""The one place that knows how a batch of events is written between two stages of the job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

__all__ = ["decode", "encode", "keyed_record"]


def encode(events: Sequence[Any] | dict[str, Any]) -> str:
    """Write a batch of JSON-able events, or one record, as a string.

    Examples
    --------
    >>> decode(encode([{"amount": 0.1}]))
    [{'amount': 0.1}]
    """
    return orjson.dumps(events).decode()


def decode(payload: str | bytes) -> list[Any]:
    """Read what :func:`encode` wrote."""
    events: list[Any] = orjson.loads(payload)
    return events


def keyed_record(key: str, value: Any) -> str:  # noqa: ANN401
    r"""Write one Kafka record as its JSON value, a line feed and its key.

    A stage hands many records to the JVM in one call as an array of such strings; SQL splits each at the first line feed.
    JSON written without indentation never holds a raw line feed, so any key is safe.

    Examples
    --------
    >>> keyed_record("t1", {"score": 0.5})
    '{"score":0.5}\nt1'
    """
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY).decode() + "\n" + key
