"""How the truth join forgets: after the retention, never for lateness alone, and everything in the end."""

from __future__ import annotations

import pytest

from tests.unit.domain.truth_case import DAY, HOUR, NOW, aside, expire, join, prediction, said, truth
from udfs.domain.truth_join import expire_truths


def test_a_late_truth_counts_as_long_as_its_transaction_is_remembered():
    state: dict[str, bytes] = {}
    join(state, prediction())
    assert said(join(state, truth(1), watermark_ms=NOW + 29 * DAY)) == [("POSITIVE", 1)]


def test_a_watermark_that_overtakes_what_batches_hold_loses_nothing():
    state: dict[str, bytes] = {}
    far = NOW + 1000 * DAY
    join(state, prediction(), watermark_ms=far)
    update = join(state, truth(1), prediction("t2"), truth(0, "t2"), watermark_ms=far)
    assert said(update) == [("POSITIVE", 1), ("SCORED", 1), ("NEGATIVE", 1)]


def test_a_correction_after_the_transaction_was_forgotten_is_set_aside():
    state: dict[str, bytes] = {}
    join(state, prediction(), truth(1))
    later = NOW + 40 * DAY
    update = join(state, prediction("t2", event_time_ms=later), watermark_ms=later)
    assert (update.forgotten, update.never_labelled) == (1, 0)
    assert "t1" not in state
    correction = truth(0, revision=2)
    update = join(state, correction, watermark_ms=later)
    assert [(item.reason, item.item) for item in update.set_aside] == [("too_late_correction", correction)]
    assert not update.changes


def test_a_prediction_whose_retention_is_over_is_set_aside():
    state: dict[str, bytes] = {}
    later = NOW + 40 * DAY
    join(state, prediction("t2", event_time_ms=later), watermark_ms=later)
    assert aside(join(state, prediction(), watermark_ms=later)) == ["too_late_prediction"]


def test_a_transaction_whose_truth_never_comes_stays_scored_and_is_forgotten():
    state: dict[str, bytes] = {}
    join(state, prediction())
    update = expire(state, NOW + 31 * DAY)
    assert (update.forgotten, update.never_labelled, update.changes, update.set_aside) == (1, 1, [], [])
    assert list(state) == ["\x00shard"]


def test_a_truth_whose_prediction_never_comes_is_set_aside_when_it_is_forgotten():
    state: dict[str, bytes] = {}
    join(state, truth(1))
    update = expire(state, NOW + 31 * DAY)
    assert [(item.reason, item.transaction_id) for item in update.set_aside] == [("truth_without_prediction", "t1")]
    assert list(state) == ["\x00shard"]


def test_nothing_is_forgotten_before_its_retention_is_over():
    state: dict[str, bytes] = {}
    join(state, prediction())
    assert expire(state, NOW + 30 * DAY - 1).forgotten == 0
    assert "t1" in state


def test_a_record_opened_by_a_truth_is_kept_by_the_time_of_its_later_prediction():
    state: dict[str, bytes] = {}
    join(state, truth(1, event_time_ms=NOW - 5 * DAY), prediction())
    assert expire(state, NOW + 27 * DAY).forgotten == 0
    assert expire(state, NOW + 31 * DAY).forgotten == 1


def test_the_update_says_when_the_next_records_are_due():
    state: dict[str, bytes] = {}
    due = join(state, prediction()).next_due_ms
    assert due is not None
    assert NOW + 30 * DAY <= due <= NOW + 30 * DAY + 30 * DAY // 64
    assert expire(state, due).next_due_ms is None


def test_a_timer_that_fires_on_an_overtaking_watermark_forgets_nothing_and_asks_for_no_timer():
    state: dict[str, bytes] = {}
    join(state, prediction())
    update = expire_truths(state, window_ms=HOUR, retention_ms=30 * DAY, watermark_ms=NOW + 1000 * DAY)
    assert (update.forgotten, update.next_due_ms) == (0, None)
    assert said(join(state, truth(1), watermark_ms=NOW + 1000 * DAY)) == [("POSITIVE", 1)]


def test_a_timer_forgets_what_the_shards_own_predictions_have_left_behind():
    state: dict[str, bytes] = {}
    later = NOW + 40 * DAY
    join(state, prediction(), prediction("t2", event_time_ms=later))
    update = expire_truths(state, window_ms=HOUR, retention_ms=30 * DAY, watermark_ms=later)
    assert update.forgotten == 1
    assert update.next_due_ms is not None
    assert update.next_due_ms > later


def test_forgetting_goes_on_in_pieces_until_all_is_gone():
    state: dict[str, bytes] = {}
    for at in range(3000):
        join(state, prediction(f"transaction-{at}"))
    calls = 0
    update = expire(state, NOW + 31 * DAY, limit=100)
    while update.next_due_ms is not None:
        assert update.forgotten <= 300
        calls += 1
        update = expire(state, NOW + 31 * DAY, limit=100)
    assert calls > 5
    assert list(state) == ["\x00shard"]


def test_state_stays_bounded_while_the_stream_runs():
    state: dict[str, bytes] = {}
    for at in range(2000):
        time_ms = NOW + at * HOUR
        join(state, prediction(f"t{at}", event_time_ms=time_ms), watermark_ms=time_ms)
    assert len([key for key in state if key[0] != "\x00"]) <= 30 * 24 + 13
    assert len([key for key in state if key[0] == "\x00"]) <= 68


@pytest.mark.parametrize("hostile", ["\x00shard", "\x00due/1/0", "\x00", "\x00=\x00shard", "ü\u2028\n", "x" * 60_000])
def test_no_transaction_id_meets_the_shards_own_entries(hostile):
    state: dict[str, bytes] = {}
    join(state, prediction(hostile), prediction("t1"))
    assert said(join(state, truth(1, hostile))) == [("POSITIVE", 1)]
    assert expire(state, NOW + 31 * DAY).forgotten == 2
