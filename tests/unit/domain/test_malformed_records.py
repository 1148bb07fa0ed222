"""The fuzzer's records against the parsers alone; `make faults` and an end-to-end test send them to a running job."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.e2e.models import stream
from tests.faults.fuzzer import MESSAGE_MUTATIONS, ROW_MUTATIONS, TEXT_MUTATIONS, TOPICS, Fuzzer
from tests.faults.plan import FULL_MINUTES, Plan
from tests.faults.soak import slope_an_hour
from udfs.domain.dead_letter import PAYLOAD_BYTES, dead_letter
from udfs.domain.event import Position
from udfs.domain.metadata import MalformedRow, parse_metadata
from udfs.domain.parsing import Rejection, parse_transaction, parse_truth

COUNT = 4_000
AT = Position(partition=0, offset=0, ingestion_time_ms=1_795_000_000_000)


@pytest.fixture(scope="module")
def records():
    return list(Fuzzer(7, list(stream(300).transactions()), "fraud").records(COUNT))


def test_the_same_seed_makes_the_same_records_and_every_mutation_comes(records):
    again = list(Fuzzer(7, list(stream(300).transactions()), "fraud").records(50))
    assert again == records[:50]
    made = {each.__name__.strip("_") for each in (*TEXT_MUTATIONS, *MESSAGE_MUTATIONS, *ROW_MUTATIONS)}
    assert {record.mutation for record in records} == made
    assert set(Counter(record.topic for record in records)) == set(TOPICS)


def test_none_of_them_is_taken_and_each_is_refused_with_a_reason(records):
    taken = Counter()
    for record in records:
        value = record.value.decode("utf-8", "replace")  # as Flink's raw format does
        if record.topic == "weir.metadata":
            parsed = parse_metadata(value)
        else:
            parsed = parse_transaction(value, AT) if record.topic == "transactions" else parse_truth(value, AT)
        if not isinstance(parsed, Rejection | MalformedRow) or not parsed.reason or not parsed.detail:
            taken[record.topic, record.mutation, type(parsed).__name__] += 1
    assert taken == {}


def test_what_is_kept_of_them_is_short_and_names_no_customer(records):
    for record in records:
        letter = dead_letter(record.topic, AT, "reason", "", record.value.decode("utf-8", "replace"), 0)
        assert len(letter["payload"].encode()) <= PAYLOAD_BYTES


def test_a_plan_scales_with_the_minutes_and_keeps_every_kind():
    full, short = Plan.of(FULL_MINUTES, 3), Plan.of(2, 3)
    assert set(full.faults) == set(short.faults)
    assert full.faults.count(("kill", "taskmanager")) == 20
    assert full.down_s == {"kafka": 60, "postgres": 300, "s3": 120}
    assert (full.malformed, full.swaps) == (100_000, 100)
    assert Plan.of(400, 3) == full
    assert Plan.of(2, 4).faults != short.faults


def test_growth_is_told_by_the_hour():
    assert slope_an_hour([0, 900, 1_800], [100.0, 101.0, 102.0]) == pytest.approx(4)
