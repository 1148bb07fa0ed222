"""What a demo decides before it starts: rows, pace, and that no version is trained on what it is measured on."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.demo.plan import PROMOTE_AT, plan_demo
from jobs.demo.training_order import TrainingOrder
from jobs.settings import Settings
from udfs.domain.errors import DataFileError, SettingsError

DAY_MS = 86_400_000
NOW_MS = 1_795_000_000_000


@pytest.fixture
def creditcard_file(tmp_path):
    """Write a file of the credit card set's shape, with made-up numbers."""

    def write(rows: int, frauds: tuple[int, ...] = (700, 900, 2_500)):
        chance = np.random.default_rng(3)
        columns = {"Time": np.sort(chance.uniform(0, 11_000, rows).round())}
        columns |= {f"V{n}": chance.normal(size=rows) for n in range(1, 29)}
        labels = np.zeros(rows, dtype=np.int64)
        labels[[row for row in frauds if row < rows]] = 1
        columns |= {"Amount": chance.uniform(1, 99, rows).round(2), "Class": labels}
        pa_parquet.write_table(pa.table(columns), tmp_path / "cards.parquet")
        return str(tmp_path / "cards.parquet")

    return write


@settings(max_examples=15)
@given(rows=st.integers(2_000, 6_000))
def test_a_generated_demo_streams_exactly_the_rows_that_were_asked_for(rows):
    plan = plan_demo(rows=rows)
    assert len(plan.stream) == rows
    assert plan.stream.last_event_ms - plan.stream.first_event_ms >= 59 * DAY_MS
    assert plan.seconds >= 61


def test_the_first_version_learns_only_from_what_lies_before_the_stream():
    plan = plan_demo(rows=3_000)
    history = plan.first.dataset()
    assert history.last_event_ms <= plan.stream.first_event_ms
    streamed = {message["transaction_id"] for message in plan.stream.transactions()}
    assert not streamed & {message["transaction_id"] for message in history.transactions()}


def test_the_second_version_learns_only_what_is_known_when_it_is_trained():
    plan = plan_demo(rows=5_000)
    learned = plan.second.dataset()
    ordered_ms = plan.stream.first_event_ms + plan.train_at * (plan.stream.last_event_ms - plan.stream.first_event_ms)
    assert learned.last_time_ms <= ordered_ms
    assert len(learned) > len(plan.first.dataset())


def test_enough_known_frauds_make_the_second_version_a_supervised_one(creditcard_file):
    assert plan_demo(rows=2_000).second.algorithm == "logistic-regression"
    # Its truths take a week and it lasts three hours: no label is known when the second version is trained.
    assert plan_demo(creditcard_file(4_000)).second.algorithm == "half-space-trees"


def test_a_file_is_streamed_whole_and_each_version_learns_from_a_prefix_it_is_not_measured_on(creditcard_file):
    plan = plan_demo(creditcard_file(4_000))
    assert (len(plan.stream), plan.stream.feature_set) == (4_000, "creditcard")
    assert (plan.first.last, plan.second.last) == (300, 1_250)
    assert plan.second.last / len(plan.stream) <= plan.train_at + 1e-9 < PROMOTE_AT
    assert plan.first_told == "the first 300 rows, which do not count in its quality"


def test_the_same_order_gives_another_process_the_same_rows():
    order = plan_demo(rows=2_000).second
    again = TrainingOrder.from_json(order.to_json())
    assert list(again.dataset().transactions()) == list(order.dataset().transactions())


def test_in_a_stream_too_short_to_train_the_second_version_is_trained_before_it():
    assert plan_demo(rows=2_000, rate=1_000).train_at == 0
    assert plan_demo(rows=2_000).train_at > 0


def test_windows_are_days_for_two_months_and_minutes_for_hours(creditcard_file):
    assert plan_demo(rows=50_000).quality_window_ms == DAY_MS
    many = creditcard_file(4_000, tuple(range(400, 4_000, 100)))
    assert plan_demo(many).quality_window_ms == 1_800_000


def test_the_closing_records_make_every_window_final():
    plan = plan_demo(rows=2_000)
    fitted = plan.settings(Settings(), NOW_MS)
    assert plan.windows_close(fitted, NOW_MS)
    assert fitted.truth_retention_ms == Settings().truth_retention_ms
    assert (fitted.order, fitted.quality_window_ms) == ("arrival", plan.quality_window_ms)


def test_truth_of_a_stream_that_ends_today_is_waited_for_as_long_as_it_takes_and_no_window_claims_to_be_final():
    plan = plan_demo(rows=2_000)
    today_ms = plan.stream.last_event_ms
    fitted = plan.settings(Settings(), today_ms)
    assert fitted.truth_retention_ms > plan.stream.truth_delay_ms
    assert not plan.windows_close(fitted, today_ms)


def test_what_the_user_set_stands(monkeypatch):
    monkeypatch.setenv("WEIR_QUALITY_WINDOW_MS", "3600000")
    monkeypatch.setenv("WEIR_TRUTH_RETENTION_MS", "777600000")
    fitted = plan_demo(rows=2_000).settings(Settings(), NOW_MS)
    assert (fitted.quality_window_ms, fitted.truth_retention_ms) == (3_600_000, 777_600_000)


def test_too_few_rows_are_refused_in_a_sentence(creditcard_file):
    with pytest.raises(SettingsError, match=r"at least 2,000 transactions .* got 500"):
        plan_demo(rows=500)
    with pytest.raises(SettingsError, match=r"has 1,500 rows"):
        plan_demo(creditcard_file(1_500))
    with pytest.raises(DataFileError):
        plan_demo("no such file.parquet")
