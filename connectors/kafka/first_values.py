"""The first value of each partition as it lies in Kafka: how a topic is written."""

from __future__ import annotations

import contextlib
import time

from kafka import TopicPartition

from connectors.kafka.consumer import open_consumer
from connectors.kafka.errors import kafka_errors

__all__ = ["first_values"]

PATIENCE_S = 5.0


def first_values(bootstrap: str, topic: str) -> dict[int, bytes | None]:
    """Return the first committed value by partition; one that has none, or gives none in five seconds, is left out.

    Raises
    ------
    ConnectionLostError
        If the broker does not answer.
    """
    found: dict[int, bytes | None] = {}
    with (
        kafka_errors(f"read the topic {topic}", bootstrap),
        contextlib.closing(open_consumer(bootstrap, committed=True)) as consumer,
    ):
        parts = [TopicPartition(topic, each) for each in consumer.partitions_for_topic(topic) or ()]
        begins, ends = consumer.beginning_offsets(parts), consumer.end_offsets(parts)
        wanted = [at for at in parts if begins[at] < ends[at]]
        if not wanted:
            return found
        consumer.assign(wanted)
        consumer.seek_to_beginning()
        deadline = time.monotonic() + PATIENCE_S
        while len(found) < len(wanted) and time.monotonic() < deadline:
            for at, batch in consumer.poll(timeout_ms=200).items():
                if batch:
                    found.setdefault(at.partition, batch[0].value)
                    consumer.pause(at)
    return found
