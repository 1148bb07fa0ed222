from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.data.columns import Columns
from connectors.data.dataset import Dataset, open_dataset
from udfs.domain.errors import SettingsError


def dataset_of(times, delay_ms, *, labelled=True) -> Dataset:
    count = len(times)
    rows = Columns(
        transaction_id=np.arange(count),
        event_time_ms=np.array(times, dtype=np.int64),
        customer_id=np.arange(count) % 3,
        amount=np.ones(count),
        label=np.zeros(count, dtype=np.int8) if labelled else None,
    )
    return Dataset(rows.in_event_order(), "handbook", delay_ms)


@given(st.lists(st.integers(0, 60), max_size=40), st.integers(0, 50))
def test_the_producers_order_is_that_of_the_times_with_truths_first(times, delay_ms):
    got = [
        (
            message["truth_time_ms" if topic == "truths" else "event_time_ms"],
            topic != "truths",
            message["transaction_id"],
        )
        for topic, message in dataset_of(times, delay_ms).interleaved()
    ]
    assert [each[:2] for each in got] == sorted(each[:2] for each in got)
    assert len(got) == 2 * len(times)
    for topic in (False, True):
        ids = [int(each[2]) for each in got if each[1] is topic]
        assert ids == sorted(range(len(times)), key=lambda row: (times[row], row))


def test_a_set_without_labels_has_no_truths():
    dataset = dataset_of([3, 1], 5, labelled=False)
    assert [topic for topic, _ in dataset.interleaved()] == ["transactions"] * 2
    assert dataset.truth_count == 0
    assert dataset.last_time_ms == 3


def test_a_truth_carries_what_the_contract_asks_for():
    truth = next(open_dataset("generator", rows=10, truth_delay_ms=500).truths())
    assert set(truth) == {
        "transaction_id",
        "label",
        "revision",
        "truth_time_ms",
        "event_time_ms",
        "customer_id",
        "terminal_id",
    }
    assert truth["truth_time_ms"] == truth["event_time_ms"] + 500
    assert truth["revision"] == 0


def test_parts_say_where_they_are_from():
    whole = open_dataset("generator", rows=100)
    part = whole.part(20, 60)
    inner = part.part(10)
    assert len(part) == 40
    assert part.describe()["first_row"] == 20
    assert inner.describe()["first_row"] == 30
    assert list(inner.transactions()) == list(whole.transactions())[30:60]


def test_between_takes_a_half_open_span_of_event_time():
    dataset = dataset_of([10, 20, 20, 30], 0)
    assert [each["event_time_ms"] for each in dataset.between(10, 30).transactions()] == [10, 20, 20]
    assert len(dataset.between(31, 40)) == len(dataset.between(40, 10)) == 0


def test_restamping_starts_now_and_divides_gaps_and_the_truth_delay():
    moved = dataset_of([1_000, 3_000, 7_000], 600).restamped(50_000, speed=2)
    assert [each["event_time_ms"] for each in moved.transactions()] == [50_000, 51_000, 53_000]
    assert next(moved.truths())["truth_time_ms"] == 50_300
    assert moved.describe()["speed"] == 2
    assert moved.describe()["restamped_from_ms"] == 1_000


def test_restamping_at_speed_one_keeps_every_gap_exactly():
    times = [2**52 + n * 7 for n in range(5)]
    moved = dataset_of(times, 0).restamped(11)
    assert [each["event_time_ms"] for each in moved.transactions()] == [11 + n * 7 for n in range(5)]


def test_a_description_names_the_rows_again():
    described = open_dataset("generator", rows=300, seed=8, days=61, start_ms=86_400_000).describe()
    again = open_dataset(
        described["source"],
        rows=described["rows"],
        seed=described["seed"],
        days=described["days"],
        start_ms=described["start_ms"],
    )
    assert again.describe() == described


@pytest.mark.parametrize("wrong", [{"rows": 0}, {"rows": -5}, {"truth_delay_ms": -1}])
def test_impossible_arguments_are_refused(wrong):
    with pytest.raises(SettingsError):
        open_dataset("generator", **wrong)


@pytest.mark.parametrize("speed", [0, -1, float("nan")])
def test_a_speed_that_goes_nowhere_is_refused(speed):
    with pytest.raises(SettingsError, match="above 0"):
        dataset_of([1], 0).restamped(5, speed)
