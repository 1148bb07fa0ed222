"""Reads whole topics for tools: status, verification, demo and tests. The job reads with Flink's own source.

No consumer group is used and nothing is committed: a reader leaves no trace on the broker.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Literal

from kafka import KafkaConsumer, TopicPartition

from connectors.kafka.consumer import open_consumer
from connectors.kafka.errors import kafka_errors
from connectors.kafka.record import Record
from udfs.domain.errors import ConnectionLostError

__all__ = ["count", "end_offsets", "read_topic"]

SILENCE_S = 30.0
"""So long may a broker send nothing of what it has; then it is taken for lost."""


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
            unread = {TopicPartition(topic, partition): end for partition, end in ends.items()}
            consumer.assign(list(unread))
            consumer.seek_to_beginning()
            for at in unread:
                if starts.get(at.partition, 0) > consumer.position(at):
                    consumer.seek(at, starts[at.partition])
            yield from _poll(consumer, topic, unread)
        finally:
            consumer.close()


def _poll(consumer: KafkaConsumer, topic: str, unread: dict[TopicPartition, int]) -> Iterator[Record]:
    """Yield records until every partition's position has reached its end."""
    heard, before = time.monotonic(), {at: -1 for at in unread}
    while unread:
        # The position, not the last record's offset, says where reading stands: a transaction's markers take offsets
        # and are never handed out.
        positions = {at: consumer.position(at) for at in unread}
        for at in [at for at, end in unread.items() if positions[at] >= end]:
            del unread[at]
            consumer.pause(at)
        if positions != before:
            heard, before = time.monotonic(), positions
        elif time.monotonic() - heard > SILENCE_S:
            msg = f"Kafka sends nothing of {topic} at {positions} for {SILENCE_S:.0f} s. See `weir status` for its log."
            raise ConnectionLostError(msg)
        if not unread:
            return
        for at, batch in consumer.poll(timeout_ms=500).items():
            end = unread.get(at, 0)
            for record in batch:
                if record.offset < end:
                    yield Record(at.partition, record.offset, record.timestamp, record.key, record.value)
