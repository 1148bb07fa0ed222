from __future__ import annotations

import contextlib
import threading

from kafka.errors import KafkaTimeoutError

from connectors.kafka.follower import TopicFollower
from tests.unit.kafka.fake_kafka import FakeConsumer


class Taken:
    """What a follower handed out; another thread waits for a number of records."""

    def __init__(self):
        self.values, self._news = [], threading.Condition()

    def __call__(self, record):
        with self._news:
            self.values.append(record.value)
            self._news.notify_all()

    def wait_for(self, count):
        with self._news:
            assert self._news.wait_for(lambda: len(self.values) >= count, 10), self.values


@contextlib.contextmanager
def following(take, topic="t", **options):
    follower = TopicFollower("b", topic, take, **options)
    follower.start()
    try:
        yield follower
    finally:
        follower.stop()


def test_what_was_there_comes_first_then_what_is_appended(broker):
    for number in range(10):
        broker.append("t", 0, b"%d" % number)
    taken = Taken()
    with following(taken) as follower:
        assert follower.wait(10)
        assert taken.values == [b"%d" % number for number in range(10)]
        broker.append("t", 0, b"later")
        taken.wait_for(11)
    assert taken.values[-1] == b"later"
    assert follower.trouble is None


def test_from_the_end_nothing_comes_that_was_there(broker):
    broker.append("t", 1, b"before")
    taken = Taken()
    with following(taken, from_end=True) as follower:
        assert follower.wait(10)
        broker.append("t", 1, b"after")
        taken.wait_for(1)
    assert taken.values == [b"after"]


def test_a_broker_that_goes_away_is_waited_for_and_no_record_comes_twice(broker, monkeypatch):
    monkeypatch.setattr("connectors.kafka.follower.RETRY_S", 0.01)
    failing = threading.Event()

    class Failing(FakeConsumer):
        def poll(self, timeout_ms):
            if failing.is_set():
                raise KafkaTimeoutError
            return super().poll(timeout_ms)

    monkeypatch.setattr("connectors.kafka.consumer.KafkaConsumer", lambda **settings: Failing(broker, **settings))
    broker.append("t", 0, b"1")
    taken, troubled = Taken(), threading.Event()
    with following(taken) as follower:
        taken.wait_for(1)
        failing.set()
        while follower.trouble is None:
            troubled.wait(0.01)
        assert "b" in follower.trouble
        broker.append("t", 0, b"2")
        failing.clear()
        taken.wait_for(2)
    assert taken.values == [b"1", b"2"]


def test_a_topic_that_is_not_there_is_said_in_a_sentence(broker, monkeypatch):
    monkeypatch.setattr("connectors.kafka.follower.RETRY_S", 0.01)
    with following(Taken(), topic="nothing") as follower:
        assert not follower.wait(0.1)
    assert "no topic nothing" in follower.trouble


def test_a_record_that_cannot_be_taken_ends_it_with_a_sentence(broker):
    broker.append("t", 0, b"1")

    def take(record):
        raise ValueError(record.value)

    with following(take) as follower:
        assert not follower.wait(0.3)
    assert "no longer followed" in follower.trouble
