"""Finds records of topics of which key, place or time is known, and reads no more of a topic than that takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import TracebackType

from kafka import TopicPartition
from kafka.partitioner import murmur2

from connectors.kafka.consumer import open_consumer
from connectors.kafka.errors import kafka_errors
from connectors.kafka.read_between import read_between
from connectors.kafka.record import Record
from udfs.domain.errors import ConnectionLostError

__all__ = ["TopicSearch"]

FIRST_STEP, LONGEST_STEP = 1_000, 16_000
"""Records of a partition: what is looked for is mostly new, and a long step costs less a record."""


class TopicSearch:
    """Looks records up, with one connection to the broker for all topics.

    A context manager; not for several threads. Every method raises :class:`ConnectionLostError` when the broker does not
    answer or has no such topic.

    Parameters
    ----------
    bootstrap
        Address of a broker, ``host:port``.
    committed
        Leave out records of transactions that are open or aborted.
    """

    def __init__(self, bootstrap: str, *, committed: bool = True) -> None:
        self._bootstrap = bootstrap
        with kafka_errors("search topics", bootstrap):
            self._consumer = open_consumer(bootstrap, committed=committed)

    def __enter__(self) -> TopicSearch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def partition_of(self, topic: str, key: str) -> int:
        """Return the partition in which Kafka's own partitioner puts a key: the job's, Connect's, kafka-python's."""
        return int((murmur2(key.encode()) & 0x7FFFFFFF) % len(self._partitions(topic)))

    def ends(self, topic: str) -> dict[int, int]:
        """Return the end of each partition: the offset after its last record, or its last stable offset."""
        with kafka_errors(f"search the topic {topic}", self._bootstrap):
            ends = self._consumer.end_offsets(self._partitions(topic))
        return {at.partition: offset for at, offset in ends.items()}

    def offsets_at(self, topic: str, time_ms: int) -> dict[int, int]:
        """Return, by partition, the first offset appended at a time or after it; the end where there is none."""
        with kafka_errors(f"search the topic {topic}", self._bootstrap):
            found = self._consumer.offsets_for_times(dict.fromkeys(self._partitions(topic), time_ms))
        ends = self.ends(topic)
        return {at.partition: ends[at.partition] if place is None else place.offset for at, place in found.items()}

    def between(self, topic: str, begins: Mapping[int, int], ends: Mapping[int, int]) -> Iterator[Record]:
        """Yield the records from these offsets up to those, of the partitions that have an end."""
        with kafka_errors(f"search the topic {topic}", self._bootstrap):
            yield from read_between(self._consumer, topic, begins, ends)

    def at(self, topic: str, partition: int, offset: int) -> Record | None:
        """Return the record at a place; None where retention has removed it."""
        found = self.between(topic, {partition: offset}, {partition: offset + 1})
        return next((each for each in found if each.offset == offset), None)

    def backwards(self, topic: str, ends: Mapping[int, int], most: int) -> Iterator[list[Record]]:
        """Yield the records before these offsets in steps, the newest step first; in a step they are in order.

        Parameters
        ----------
        topic
            The topic's name.
        ends
            By partition, the offset before which to begin; partitions not named are not read.
        most
            Offsets of a partition after which the search ends.
        """
        with kafka_errors(f"search the topic {topic}", self._bootstrap):
            places = self._consumer.beginning_offsets([TopicPartition(topic, each) for each in ends])
        floors = {at.partition: max(first, ends[at.partition] - most) for at, first in places.items()}
        until, step = dict(ends), FIRST_STEP
        while until := {each: end for each, end in until.items() if end > floors[each]}:
            begins = {each: max(floors[each], end - step) for each, end in until.items()}
            yield list(self.between(topic, begins, until))
            until, step = begins, min(LONGEST_STEP, 4 * step)

    def _partitions(self, topic: str) -> list[TopicPartition]:
        with kafka_errors(f"search the topic {topic}", self._bootstrap):
            partitions = self._consumer.partitions_for_topic(topic)
        if not partitions:
            msg = f"Kafka {self._bootstrap} has no topic {topic}: run `weir up`, which creates the topics."
            raise ConnectionLostError(msg)
        return [TopicPartition(topic, partition) for partition in sorted(partitions)]
