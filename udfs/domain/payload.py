"""The one place that knows how a batch of events is written between two stages of the job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

__all__ = ["decode", "encode"]


def encode(events: Sequence[Any] | dict[str, Any]) -> bytes:
    """Write a batch of JSON-able events, or one record, as bytes: what Flink copies whole.

    Examples
    --------
    >>> decode(encode([{"amount": 0.1}]))
    [{'amount': 0.1}]
    """
    return orjson.dumps(events)


def decode(payload: str | bytes) -> list[Any]:
    """Read what :func:`encode` wrote."""
    events: list[Any] = orjson.loads(payload)
    return events
