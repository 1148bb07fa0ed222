"""Reads whole topics for tools: status, verification, demo and tests. The job reads with Flink's own source.

No consumer group is used and nothing is committed: a reader leaves no trace on the broker.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from kafka import TopicPartition

from connectors.kafka.consumer import open_consumer
from connectors.kafka.errors import kafka_errors
from connectors.kafka.read_between import read_between
from connectors.kafka.record import Record
from udfs.domain.errors import ConnectionLostError

__all__ = ["count", "end_offsets", "read_topic"]


def read_topic(
    bootstrap: str,
    topic: str,
    *,
    committed: bool = True,
    from_offsets: Mapping[int, int] | None = None,
    until: Literal["end"] | Mapping[int, int] = "end",
) -> Iterator[Record]:
    """Read a topic's partitions up to the end they have now.

    Parameters
    ----------
    bootstrap
        Address of a broker, ``host:port``.
    topic
        The topic's name.
    committed
        Leave out records of transactions that are open or aborted; the end then is the last stable offset.
    from_offsets
        First offset by partition; a partition not named is read from its beginning. Offsets that retention has removed
        are passed over.
    until
        ``end``: where the topic ends at the time of this call, not of the first record taken. Or offsets by partition,
        none of them included.

    Returns
    -------
    iterator of Record
        In order within a partition; the partitions come in turns.

    Raises
    ------
    ConnectionLostError
        If the broker does not answer, or stops sending; or the topic does not exist.
    """
    ends = end_offsets(bootstrap, topic, committed=committed) if until == "end" else dict(until)
    return _records(bootstrap, topic, committed, dict(from_offsets or {}), ends)


def end_offsets(bootstrap: str, topic: str, *, committed: bool = True) -> dict[int, int]:
    """Return the end of each partition: the offset after its last record, or its last stable offset if ``committed``.

    Raises
    ------
    ConnectionLostError
        If the broker does not answer, or has no such topic.
    """
    with kafka_errors(f"read the topic {topic}", bootstrap):
        consumer = open_consumer(bootstrap, committed=committed)
        try:
            partitions = consumer.partitions_for_topic(topic)
            if not partitions:
                msg = f"Kafka {bootstrap} has no topic {topic}: run `weir up`, which creates the topics."
                raise ConnectionLostError(msg)
            ends = consumer.end_offsets([TopicPartition(topic, partition) for partition in sorted(partitions)])
        finally:
            consumer.close()
    return {at.partition: offset for at, offset in ends.items()}


def count(bootstrap: str, topic: str, *, committed: bool = True) -> int:
    """Return the number of records in a topic, by reading it: offsets also count transaction markers.

    Raises
    ------
    ConnectionLostError
        As :func:`read_topic`.
    """
    return sum(1 for _ in read_topic(bootstrap, topic, committed=committed))


def _records(
    bootstrap: str, topic: str, committed: bool, starts: dict[int, int], ends: dict[int, int]
) -> Iterator[Record]:
    with kafka_errors(f"read the topic {topic}", bootstrap):
        consumer = open_consumer(bootstrap, committed=committed)
        try:
            yield from read_between(consumer, topic, starts, ends)
        finally:
            consumer.close()
