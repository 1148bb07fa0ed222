"""One record of a Kafka topic, as a reader hands it out."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Record"]


class Record(NamedTuple):
    """Where a record stood, when it was appended, and its bytes.

    Parameters
    ----------
    partition, offset
        Its position in the topic.
    timestamp_ms
        The broker's append time, epoch milliseconds.
    key, value
        As written, but a value in Avro as JSON; None where there is none.
    """

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
