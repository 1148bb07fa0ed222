"""Reads stretches of a topic with a client that is given; by this all readers of what is there are made."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from kafka import KafkaConsumer, TopicPartition

from connectors.kafka.json_value import json_value
from connectors.kafka.record import Record
from udfs.domain.errors import ConnectionLostError

__all__ = ["read_between"]

SILENCE_S = 30.0
"""So long may a broker send nothing of what it has; then it is taken for lost."""


def read_between(
    consumer: KafkaConsumer, topic: str, begins: Mapping[int, int], ends: Mapping[int, int]
) -> Iterator[Record]:
    """Yield the records of the partitions that have an end: in order within a partition, the partitions in turns.

    Parameters
    ----------
    consumer
        The client; what it was assigned before is forgotten.
    topic
        The topic's name.
    begins
        First offset by partition; a partition not named is read from its beginning. Offsets that retention has removed
        are passed over.
    ends
        By partition, the offset that is not read any more.

    Raises
    ------
    ConnectionLostError
        If the broker stops sending; what the client raises stays as it is.
    """
    unread = {TopicPartition(topic, partition): end for partition, end in ends.items()}
    if not unread:
        return
    consumer.assign(list(unread))
    consumer.resume(*unread)  # a partition that was assigned before is still paused where it was read to its end
    consumer.seek_to_beginning()
    for at in unread:
        if begins.get(at.partition, 0) > consumer.position(at):
            consumer.seek(at, begins[at.partition])
    yield from _poll(consumer, topic, unread)


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
                    value = json_value(topic, record.value)
                    yield Record(at.partition, record.offset, record.timestamp, record.key, value)
