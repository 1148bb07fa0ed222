"""Follows a topic for as long as a program runs: what the API knows of deployments, answers and quality.

A thread of its own reads; what it reads it hands to a function. Like the reader of whole topics it uses no consumer
group and commits nothing.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable

from kafka import KafkaConsumer, TopicPartition

from connectors.kafka.consumer import open_consumer
from connectors.kafka.errors import kafka_errors
from connectors.kafka.json_value import json_value
from connectors.kafka.record import Record
from udfs.domain.errors import ConnectionLostError

__all__ = ["TopicFollower"]

RETRY_S = 1.0
POLL_MS = 200
logger = logging.getLogger(__name__)


class TopicFollower:
    """Hands each record of a topic to a function, in order within a partition, now and as they come.

    A broker that goes away is waited for; reading goes on where it stopped.

    Parameters
    ----------
    bootstrap
        Address of a broker, ``host:port``.
    topic
        The topic's name.
    take
        Called in the follower's thread with each record. It must not raise: what it raises ends the following, and is
        told by :attr:`trouble`.
    committed
        Leave out records of transactions that are open or aborted.
    from_end
        Begin behind the last record there is, instead of with the first.
    tick
        Called several times a second between records, in the same thread.
    """

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        take: Callable[[Record], object],
        *,
        committed: bool = True,
        from_end: bool = False,
        tick: Callable[[], object] | None = None,
    ) -> None:
        self._bootstrap, self._topic, self._take = bootstrap, topic, take
        self._committed, self._from_end, self._tick = committed, from_end, tick or (lambda: None)
        self._next: dict[int, int] = {}
        self._ends: dict[int, int] | None = None
        self._stop, self._caught_up = threading.Event(), threading.Event()
        self._trouble: str | None = None
        self._thread = threading.Thread(target=self._run, name=f"follow {topic}", daemon=True)

    @property
    def caught_up(self) -> bool:
        """Whether all records have been taken that were there when it connected first."""
        return self._caught_up.is_set()

    @property
    def trouble(self) -> str | None:
        """Why it does not read at the moment, in a sentence; None while it does, as far as it knows."""
        return self._trouble

    def start(self) -> None:
        """Begin to read; returns at once."""
        self._thread.start()

    def wait(self, timeout_s: float) -> bool:
        """Wait until it has caught up, at most so many seconds; return whether it has."""
        return self._caught_up.wait(timeout_s)

    def stop(self) -> None:
        """End the thread; returns when it has ended, or after ten seconds."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with kafka_errors(f"follow the topic {self._topic}", self._bootstrap):
                    self._follow()
            except ConnectionLostError as error:
                self._trouble = str(error)
                self._stop.wait(RETRY_S)
            except Exception as error:
                # A fault of ours: it would come again with the same record. The API says so and is not ready.
                self._trouble = f"The topic {self._topic} is no longer followed: {error!r}."
                logger.exception("the follower of %s ended", self._topic)
                return

    def _follow(self) -> None:
        with contextlib.closing(open_consumer(self._bootstrap, committed=self._committed)) as consumer:
            self._take_up(consumer)
            self._trouble = None
            while not self._stop.is_set():
                for at, batch in consumer.poll(timeout_ms=POLL_MS).items():
                    for each in batch:
                        value = json_value(at.topic, each.value)
                        self._take(Record(at.partition, each.offset, each.timestamp, each.key, value))
                        self._next[at.partition] = each.offset + 1
                self._tick()
                if not self._caught_up.is_set():
                    self._look_whether_caught_up(consumer)

    def _take_up(self, consumer: KafkaConsumer) -> None:
        """Go to where reading stopped, or to where it begins."""
        numbers = consumer.partitions_for_topic(self._topic)
        if not numbers:
            msg = f"Kafka {self._bootstrap} has no topic {self._topic}: run `weir up`, which creates the topics."
            raise ConnectionLostError(msg)
        partitions = [TopicPartition(self._topic, number) for number in sorted(numbers)]
        consumer.assign(partitions)
        if self._ends is None:
            self._ends = {at.partition: offset for at, offset in consumer.end_offsets(partitions).items()}
            if self._from_end:
                self._next = dict(self._ends)
        consumer.seek_to_beginning()
        for at in partitions:
            # Asked for the position, the client finds out at once; a seek alone is done at some later poll.
            if self._next.get(at.partition, 0) > consumer.position(at):
                consumer.seek(at, self._next[at.partition])

    def _look_whether_caught_up(self, consumer: KafkaConsumer) -> None:
        ends = self._ends or {}
        if all(consumer.position(TopicPartition(self._topic, number)) >= end for number, end in ends.items()):
            self._caught_up.set()
