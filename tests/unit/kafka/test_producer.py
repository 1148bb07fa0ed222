from __future__ import annotations

import threading
import time

import orjson
import pytest

from connectors.data.dataset import open_dataset
from connectors.kafka.json_value import json_value
from connectors.kafka.pacer import Pacer
from connectors.kafka.producer import Producer
from udfs.domain.errors import ConnectionLostError
from udfs.wire.avro_codec import AvroCodec

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def messages(broker, topic):
    return [orjson.loads(value) for value in broker.values(topic)]


def test_everything_is_sent_keyed_and_acknowledged_and_each_partition_closed(broker):
    dataset = open_dataset("generator", rows=500)
    produced = Producer("b").run(dataset)
    assert (produced.transactions, produced.truths, produced.controls) == (500, 500, 8)
    assert not produced.interrupted
    for topic, key in (("transactions", "customer_id"), ("truths", "transaction_id")):
        for partition in range(4):
            *records, last = broker.logs[topic, partition]
            assert all(record.key.decode() == orjson.loads(record.value)[key] for record in records)
            assert last.key is None
            assert orjson.loads(last.value)["control"] == "close"


def test_the_closing_time_is_far_behind_the_last_truth_of_old_events(broker):
    dataset = open_dataset("generator", rows=50)
    Producer("b").run(dataset)
    close = messages(broker, "transactions")[-1]
    assert close["event_time_ms"] == dataset.last_time_ms + 400 * DAY_MS


def test_the_closing_time_of_a_live_stream_is_within_a_day_of_now(broker):
    now_ms = time.time_ns() // 1_000_000
    Producer("b").run(open_dataset("generator", rows=50).restamped(now_ms, speed=1e9))
    close = messages(broker, "truths")[-1]
    assert now_ms + 22 * HOUR_MS < close["event_time_ms"] < now_ms + 24 * HOUR_MS


def test_truths_left_at_the_end_are_known_when_they_are_sent(broker):
    now_ms = time.time_ns() // 1_000_000
    dataset = open_dataset("generator", rows=50, start_ms=now_ms - 70 * DAY_MS)
    Producer("b", close=False).run(dataset.part(0, 30).restamped(now_ms - 100 * DAY_MS, speed=1.0))
    assert max(truth["truth_time_ms"] for truth in messages(broker, "truths")) < now_ms + HOUR_MS
    Producer("b", close=False).run(dataset.restamped(now_ms, speed=1e6))
    for truth in messages(broker, "truths"):
        assert truth["event_time_ms"] <= truth["truth_time_ms"] <= max(now_ms + HOUR_MS, truth["event_time_ms"])


def test_without_close_nothing_is_closed(broker):
    assert Producer("b", close=False).run(open_dataset("generator", rows=10)).controls == 0


def test_the_rate_counts_transactions_and_truths_ride_along(broker):
    produced = Producer("b", rate=500).run(open_dataset("generator", rows=150))
    assert produced.truths == 150
    assert 0.25 < produced.seconds < 2.0


def test_live_records_are_not_sent_before_their_time(broker):
    now_ms = time.time_ns() // 1_000_000
    dataset = open_dataset("generator", rows=40)
    span_ms = dataset.last_event_ms - dataset.first_event_ms
    produced = Producer("b", live=True).run(dataset.restamped(now_ms, speed=span_ms / 400))
    assert produced.seconds > 0.3


def test_a_stop_from_another_thread_ends_it_at_once_and_closes_nothing(broker):
    stop = threading.Event()
    producer = Producer("b", rate=5, stop=stop)
    found = []
    thread = threading.Thread(target=lambda: found.append(producer.run(open_dataset("generator", rows=1_000))))
    thread.start()
    while producer.acknowledged < 1:
        time.sleep(0.01)
    stop.set()
    thread.join(timeout=5)
    assert not thread.is_alive()
    assert found[0].interrupted
    assert 1 <= found[0].transactions < 1_000
    assert found[0].controls == 0
    assert str(found[0]).startswith("stopped: ")


def test_progress_is_told_up_to_the_end(broker):
    told = []
    Producer("b", progress=lambda *sent: told.append(sent)).run(open_dataset("generator", rows=300))
    assert told[-1] == (300, 300)


def test_a_refused_record_is_an_error_that_says_how_many_are_there(broker):
    broker.refuse_after = 25
    with pytest.raises(ConnectionLostError, match=r"refused a record after 25: got .*the broker is gone"):
        Producer("b").run(open_dataset("generator", rows=300))


def test_no_flood_follows_a_stall():
    clock = [0.0]
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        clock[0] += seconds

    pacer = Pacer(100, clock=lambda: clock[0], sleep=sleep)
    pacer.wait()
    clock[0] += 60  # a stall of a minute, worth 6,000 pieces of work
    unhindered = 0
    while not slept:
        pacer.wait()
        unhindered += 1
    assert unhindered <= 25


def test_without_a_rate_nothing_waits():
    pacer = Pacer(None, sleep=lambda seconds: pytest.fail("it slept"))
    for _ in range(1_000):
        pacer.wait()


def test_with_avro_only_transactions_and_their_closing_records_are_in_it(broker):
    Producer("b", payload="avro").run(open_dataset("generator", rows=20))
    values = broker.values("transactions")
    assert all(AvroCodec.reads(value) for value in values)
    assert sum(b'"control":"close"' in json_value("transactions", value) for value in values) == broker.partitions
    assert all(value.startswith(b"{") for value in broker.values("truths"))
