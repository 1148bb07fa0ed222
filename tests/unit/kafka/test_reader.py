from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.errors import KafkaConnectionError, KafkaTimeoutError

from connectors.kafka.errors import kafka_errors
from connectors.kafka.first_values import first_values
from connectors.kafka.reader import count, end_offsets, read_topic
from tests.unit.kafka.fake_kafka import FakeBroker, FakeConsumer
from udfs.domain.errors import ConnectionLostError


def test_all_partitions_are_read_in_their_order(broker):
    for number in range(20):
        broker.append("t", number % 4, b"%d" % number, key=b"k", timestamp=100 + number)
    records = list(read_topic("b", "t"))
    assert sorted(int(record.value) for record in records) == list(range(20))
    for partition in range(4):
        assert [record.offset for record in records if record.partition == partition] == list(range(5))
    assert {(record.timestamp_ms, record.key) for record in records if record.value == b"7"} == {(107, b"k")}


@given(st.lists(st.lists(st.booleans(), max_size=12), min_size=4, max_size=4))
def test_reading_ends_whatever_offsets_markers_and_aborted_records_take(logs):
    broker = FakeBroker()
    for partition, log in enumerate(logs):
        for is_record in log:
            broker.append("t", partition, b"v" if is_record else None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("connectors.kafka.consumer.KafkaConsumer", lambda **settings: FakeConsumer(broker, **settings))
        got = {(record.partition, record.offset) for record in read_topic("b", "t")}
        assert count("b", "t") == len(got)
    assert got == {(p, offset) for p, log in enumerate(logs) for offset, is_record in enumerate(log) if is_record}


def test_the_end_is_that_of_the_call_not_of_the_first_record(broker):
    broker.append("t", 0, b"before")
    reading = read_topic("b", "t")
    broker.append("t", 0, b"after")
    broker.append("t", 1, b"after")
    assert [record.value for record in reading] == [b"before"]


def test_reading_goes_on_from_offsets_and_not_before_what_retention_left(broker):
    for _ in range(6):
        broker.append("t", 0, b"a")
        broker.append("t", 1, b"b")
    broker.begins["t", 1] = 4
    records = list(read_topic("b", "t", from_offsets={0: 5, 1: 2}))
    assert sorted((record.partition, record.offset) for record in records) == [(0, 5), (1, 4), (1, 5)]


def test_an_end_may_be_given(broker):
    for _ in range(6):
        broker.append("t", 2, b"a")
    assert [record.offset for record in read_topic("b", "t", until={2: 4})] == [0, 1, 2, 3]


def test_a_topic_that_is_not_there_is_named(broker):
    with pytest.raises(ConnectionLostError, match="no topic nothing"):
        end_offsets("b", "nothing")


def test_a_broker_that_falls_silent_does_not_hang_the_reader(broker, monkeypatch):
    broker.append("t", 0, b"a")
    broker.silent = True
    monkeypatch.setattr("connectors.kafka.read_between.SILENCE_S", 0.05)
    with pytest.raises(ConnectionLostError, match="sends nothing of t"):
        list(read_topic("b", "t"))


@pytest.mark.parametrize("foreign", [KafkaConnectionError("gone"), KafkaTimeoutError("too long")])
def test_the_clients_errors_become_a_sentence_with_the_address(foreign):
    with pytest.raises(ConnectionLostError, match=r"Could not read x at Kafka here:9092: got .+ Is the broker up"):
        with kafka_errors("read x", "here:9092"):
            raise foreign


def test_avro_is_read_as_json_and_the_first_values_are_told_as_they_lie(broker):
    value = bytes.fromhex("000000000002000000000000f03f0000")
    broker.append("transactions", 1, b"{}")
    broker.append("transactions", 2, value)
    broker.append("transactions", 2, b"[]")
    broker.append("transactions", 3, b"gone")
    broker.begins["transactions", 3] = 1
    assert [each.value for each in read_topic("b", "transactions")] == [b"{}", b'{"amount":1.0}', b"[]"]
    assert first_values("b", "transactions") == {1: b"{}", 2: value}
    assert first_values("b", "truths") == {}
