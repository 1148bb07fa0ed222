"""Reads topics as they grow, asked for more again and again: the notifier and the page. Whole topics have the reader."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType

from kafka import TopicPartition

from connectors.kafka.consumer import open_consumer
from connectors.kafka.errors import kafka_errors
from connectors.kafka.json_value import json_value
from connectors.kafka.record import Record
from udfs.domain.errors import ConnectionLostError

__all__ = ["TopicCursor"]


class TopicCursor:
    """Hands out the records of topics in order within a partition, each once, for as long as it is asked.

    A context manager; not for several threads. Where it stands is known to it alone: who needs to go on after a restart
    keeps :meth:`places` and gives them back.

    Parameters
    ----------
    bootstrap
        Address of a broker, ``host:port``.
    places
        By topic, the first offset by partition; a partition not named is read from its beginning, as is one whose offset
        the topic no longer or not yet has.
    committed
        Leave out records of transactions that are open or aborted.

    Raises
    ------
    ConnectionLostError
        From every method, if the broker does not answer or lacks a topic.
    """

    def __init__(self, bootstrap: str, places: Mapping[str, Mapping[int, int]], *, committed: bool = True) -> None:
        self._bootstrap = bootstrap
        with kafka_errors(f"follow {', '.join(places)}", bootstrap):
            self._consumer = open_consumer(bootstrap, committed=committed)
            try:
                self._assign(places)
            except BaseException:
                self._consumer.close()
                raise

    def __enter__(self) -> TopicCursor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()

    def poll(self, timeout_s: float = 0.0) -> list[tuple[str, Record]]:
        """Return what is there, at most 2,000 records; wait so many seconds for the first of them."""
        with kafka_errors("follow topics", self._bootstrap):
            batches = self._consumer.poll(timeout_ms=int(timeout_s * 1_000))
        return [
            (at.topic, Record(at.partition, each.offset, each.timestamp, each.key, json_value(at.topic, each.value)))
            for at, batch in batches.items()
            for each in batch
        ]

    def places(self, topic: str) -> dict[int, int]:
        """Return the next offset by partition: everything before it has been handed out."""
        with kafka_errors("follow topics", self._bootstrap):
            return {at.partition: self._consumer.position(at) for at in self._assigned if at.topic == topic}

    def behind(self) -> int:
        """Return how many offsets lie between here and the ends the topics have now."""
        with kafka_errors("follow topics", self._bootstrap):
            ends = self._consumer.end_offsets(self._assigned)
            return sum(max(0, end - self._consumer.position(at)) for at, end in ends.items())

    def _assign(self, places: Mapping[str, Mapping[int, int]]) -> None:
        self._assigned: list[TopicPartition] = []
        for topic in places:
            partitions = self._consumer.partitions_for_topic(topic)
            if not partitions:
                msg = f"Kafka {self._bootstrap} has no topic {topic}: run `weir up`, which creates the topics."
                raise ConnectionLostError(msg)
            self._assigned += [TopicPartition(topic, partition) for partition in sorted(partitions)]
        self._consumer.assign(self._assigned)
        self._consumer.seek_to_beginning()
        ends = self._consumer.end_offsets(self._assigned)
        for at in self._assigned:
            wanted = places[at.topic].get(at.partition, 0)
            if self._consumer.position(at) < wanted <= ends[at]:
                self._consumer.seek(at, wanted)
