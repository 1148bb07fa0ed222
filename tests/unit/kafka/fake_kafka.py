"""A broker in memory, with as much of kafka-python's producer and consumer as the connectors use."""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace

from kafka import TopicPartition
from kafka.errors import KafkaTimeoutError


class FakeBroker:
    """Partitions as lists; an entry is a record, or None for an offset that no reader gets (a marker, an aborted one)."""

    def __init__(self, partitions=4):
        self.partitions = partitions
        self.logs = defaultdict(list)
        self.begins = defaultdict(int)
        self.silent = False
        self.refuse_after = None

    def append(self, topic, partition, value, key=None, timestamp=1):
        log = self.logs[topic, partition]
        record = None
        if value is not None:
            record = SimpleNamespace(offset=len(log), timestamp=timestamp, key=key, value=value)
        log.append(record)
        return len(log) - 1

    def values(self, topic):
        return [record.value for p in range(self.partitions) for record in self.logs[topic, p] if record]


class FakeConsumer:
    def __init__(self, broker, **settings):
        self.broker, self.settings = broker, settings
        self.positions, self.paused, self.closed = {}, set(), False

    def partitions_for_topic(self, topic):
        return set(range(self.broker.partitions)) if topic != "nothing" else None

    def end_offsets(self, partitions):
        return {at: len(self.broker.logs[at.topic, at.partition]) for at in partitions}

    def beginning_offsets(self, partitions):
        return {at: self.broker.begins[at.topic, at.partition] for at in partitions}

    def offsets_for_times(self, times):
        found = {}
        for at, time_ms in times.items():
            later = [each for each in self.broker.logs[at.topic, at.partition] if each and each.timestamp >= time_ms]
            found[at] = later[0] if later else None
        return found

    def assign(self, partitions):
        # As the real one does: a partition that was assigned before keeps its state.
        self.positions = {at: self.positions.get(at) for at in partitions}
        self.paused &= set(partitions)

    def resume(self, *partitions):
        self.paused -= set(partitions)

    def seek_to_beginning(self):
        if not self.positions:
            raise ValueError("No partitions are currently assigned")
        self.positions = {at: self.broker.begins[at.topic, at.partition] for at in self.positions}

    def seek(self, at, offset):
        self.positions[at] = offset

    def position(self, at):
        return self.positions[at]

    def pause(self, at):
        self.paused.add(at)

    def poll(self, timeout_ms):
        if self.broker.silent:
            return {}
        batches = {}
        for at, position in self.positions.items():
            if at not in self.paused:
                taken = self.broker.logs[at.topic, at.partition][position : position + 3]
                self.positions[at] += len(taken)
                batches[at] = [record for record in taken if record is not None]
        return {at: batch for at, batch in batches.items() if batch}

    def close(self):
        self.closed = True


class FakeFuture:
    def __init__(self, error=None):
        self.error = error

    def add_callback(self, call, *args):
        if self.error is None:
            call(*args, "where it is")
        return self

    def add_errback(self, call, *args):
        if self.error is not None:
            call(*args, self.error)
        return self


class FakeProducer:
    def __init__(self, broker, **settings):
        self.broker, self.settings, self.sent = broker, settings, 0

    def partitions_for(self, topic):
        return set(range(self.broker.partitions))

    def send(self, topic, key=None, value=None, partition=None):
        self.sent += 1
        if self.broker.refuse_after is not None and self.sent > self.broker.refuse_after:
            return FakeFuture(KafkaTimeoutError("the broker is gone"))
        self.broker.append(topic, hash(key) % self.broker.partitions if partition is None else partition, value, key)
        return FakeFuture()

    def flush(self, timeout: float | None = None):
        assert timeout is not None, "the real one would wait for ever for a broker that is gone"

    def close(self, timeout=None):
        pass


__all__ = ["FakeBroker", "FakeConsumer", "FakeProducer", "TopicPartition"]
