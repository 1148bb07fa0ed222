"""The truth join as an operator: what it emits, which timers it sets, and that its state ends empty."""

from __future__ import annotations

import orjson
import pytest

from tests.unit.domain.truth_case import DAY, HOUR, NOW, prediction, truth
from tests.unit.operators.fakes import FakeFlink
from udfs.domain.payload import encode
from udfs.domain.quality_change import Outcome, version_key
from udfs.operators import truth_join_stage
from udfs.operators.held_payloads import HELD_MS
from udfs.operators.stage_settings import StageSettings
from udfs.operators.truth_join_stage import TruthJoinStage

KEY = version_key("cards", "1", "champion")
QUIET_MS = 60_000


def stage(**changed) -> TruthJoinStage:
    told = {
        "build_id": "source tree", "model": "cards", "feature_set": "handbook", "order": "arrival",
        "activation": "arrival", "shards": 8, "first_deployment_seq": 0, "emit_features": False, "parallelism": 1,
        "lateness_ms": 0, "event_time_batch_ms": HOUR, "quality_window_ms": HOUR, "quality_interval_ms": 200,
        "truth_retention_ms": 30 * DAY, "quiet_shard_ms": QUIET_MS,
    }  # fmt: skip
    return TruthJoinStage(StageSettings(**{**told, **changed}))


@pytest.fixture
def flink(monkeypatch):
    def start(**changed) -> FakeFlink:
        made = FakeFlink(stage(**changed))
        monkeypatch.setattr(truth_join_stage, "now_ms", lambda: made.time_ms)
        return made

    return start


def give(flink: FakeFlink, key: str, payload: str) -> None:
    """Send a payload and let the watermark move by the least it can, at which it is joined."""
    flink.send(key, payload)
    flink.advance_watermark(flink.watermark_ms + 1)


def ticks(flink: FakeFlink) -> set[tuple[int, str]]:
    """Return the timers that age silent shards; the others release what is held."""
    return {timer for timer in flink.processing_timers if timer[0] >= QUIET_MS}


def letters(flink: FakeFlink) -> list[dict]:
    return [orjson.loads(row[1]) for row in flink.aside["dead-letters"]]


def counted(flink: FakeFlink) -> list[tuple[str, str, int]]:
    return [
        (series, Outcome(outcome).name, weight)
        for row in flink.out
        for series, _, _, outcomes, weights, *_ in orjson.loads(row[1])
        for outcome, weight in zip(outcomes, weights, strict=True)
    ]


def test_it_emits_changes_keyed_by_version(flink):
    job = flink()
    give(job, "s1", encode([prediction(), truth(1)]))
    assert [row[0] for row in job.out] == [KEY]
    assert counted(job) == [("event_time", "SCORED", 1), ("event_time", "POSITIVE", 1), ("truth_time", "POSITIVE", 1)]
    assert not job.aside


def test_what_came_between_two_watermarks_is_joined_as_one_batch_in_front_of_the_next(flink):
    job = flink()
    job.advance_watermark(NOW)
    job.send("s1", encode([prediction()]))
    job.send("s1", encode([truth(1)]))
    job.send("s2", encode([prediction("t2")]))
    assert not job.out
    job.advance_watermark(NOW + 1)
    assert [row[0] for row in job.out] == [KEY, KEY]
    assert len(counted(job)) == 4
    assert "held-payloads-for-watermark" in job.lists
    assert not any(group for held in job.lists.values() for group in held.by_key.values())


def test_what_is_held_does_not_wait_for_a_watermark_that_stands_still(flink):
    job = flink()
    job.send("s1", encode([prediction()]))
    job.advance_time(HELD_MS - 1)
    assert not job.out
    job.advance_time(HELD_MS)
    assert len(job.out) == 1
    job.send("s1", encode([truth(1)]))
    job.advance_time(2 * HELD_MS)
    assert len(job.out) == 2


def test_what_is_held_at_a_failure_is_joined_after_the_restart(flink):
    job = flink()
    job.advance_watermark(NOW)
    job.send("s1", encode([prediction()]))
    job.restart(stage())
    job.watermark_ms = -(2**63)
    job.send("s1", encode([truth(1)]))
    job.advance_watermark(NOW + 1)
    assert counted(job) == [("event_time", "SCORED", 1), ("event_time", "POSITIVE", 1), ("truth_time", "POSITIVE", 1)]


def test_what_an_earlier_version_held_as_text_is_joined_in_front_of_what_came_since(flink):
    job = flink()
    job.lists["held-for-watermark"].by_key["s1"] = [encode([prediction()]).decode()]
    give(job, "s1", encode([truth(1)]))
    assert counted(job) == [("event_time", "SCORED", 1), ("event_time", "POSITIVE", 1), ("truth_time", "POSITIVE", 1)]
    assert not any(group for held in job.lists.values() for group in held.by_key.values())


def test_a_truth_is_judged_by_the_watermark_it_came_under(flink):
    """In accelerated time the next watermark may be days on: what came in time must not be late for it."""
    job = flink()
    job.advance_watermark(NOW)
    job.send("s1", encode([prediction(), prediction("t2", event_time_ms=NOW + 40 * DAY), truth(1, "t9")]))
    job.advance_watermark(NOW + 300 * DAY)
    assert not [letter for letter in letters(job) if letter["reason"] == "too_late_correction"]


def test_records_are_forgotten_by_event_time_and_the_state_ends_empty(flink):
    job = flink()
    give(job, "s1", encode([prediction()]))
    give(job, "s1", encode([prediction("t2", event_time_ms=NOW + 40 * DAY)]))
    job.advance_watermark(NOW + 32 * DAY)
    entries = job.state["open-transactions"].by_key["s1"]
    assert "t1" not in entries
    assert "t2" in entries
    assert job.counters == {"transactions_forgotten": 1, "transactions_never_labelled": 1}


def test_a_silent_shard_forgets_by_the_watermark_of_a_minute_ago(flink):
    job = flink()
    give(job, "s1", encode([prediction()]))
    assert ticks(job) == {(QUIET_MS, "s1")}
    job.advance_watermark(NOW + 100 * DAY)
    entries = job.state["open-transactions"].by_key["s1"]
    job.advance_time(QUIET_MS)
    assert "t1" in entries  # a minute ago there was no watermark: what it has just overtaken may be on its way
    job.advance_time(2 * QUIET_MS)
    assert list(entries) == ["\x00shard"]
    assert not ticks(job)


def test_after_a_restart_the_minute_begins_anew(flink):
    job = flink()
    give(job, "s1", encode([prediction()]))
    job.advance_watermark(NOW + 100 * DAY)
    job.advance_time(QUIET_MS)
    job.restart(stage())
    job.watermark_ms = -(2**63)
    job.time_ms += 10 * QUIET_MS
    job.advance_time(job.time_ms)
    entries = job.state["open-transactions"].by_key["s1"]
    assert "t1" in entries
    job.advance_watermark(NOW + 100 * DAY)
    job.advance_time(job.time_ms + QUIET_MS)
    job.advance_time(job.time_ms + QUIET_MS)
    assert list(entries) == ["\x00shard"]


def test_labels_mature_in_a_silent_shard_and_a_later_truth_takes_them_back(flink):
    job = flink(label_maturity_ms=5 * DAY)
    give(job, "s1", encode([prediction()]))
    job.advance_watermark(NOW + 10 * DAY)
    job.advance_time(QUIET_MS)
    job.advance_time(2 * QUIET_MS)
    give(job, "s1", encode([truth(1)]))
    series = [(outcome, weight) for series, outcome, weight in counted(job) if series == "event_time"]
    assert series == [("SCORED", 1), ("PRESUMED", 1), ("PRESUMED", -1), ("POSITIVE", 1)]
    assert job.counters["labels_presumed"] == 1


def test_what_is_set_aside_can_be_read_with_its_position(flink):
    job = flink()
    give(job, "s1", encode([prediction(), truth(1, revision=3)]))
    give(job, "s1", encode([prediction(score=0.5), truth(0, revision=2, partition=3, offset=17)]))
    said = [(letter["topic"], letter["partition"], letter["offset"], letter["reason"]) for letter in letters(job)]
    assert said == [("inferences", 1, 7, "conflicting_prediction"), ("truths", 3, 17, "superseded_truth")]
    assert [row[0] for row in job.aside["dead-letters"]] == ["inferences-1-7", "truths-3-17"]
    assert all('"c1"' not in letter["payload"] for letter in letters(job))
    assert counted(job).count(("event_time", "SET_ASIDE", 1)) == 2


def test_mere_repetitions_are_counted_and_written_nowhere(flink):
    job = flink()
    give(job, "s1", encode([prediction(), prediction(), truth(1), truth(1)]))
    assert not letters(job)
    assert job.counters == {"set_aside_duplicate_prediction": 1, "set_aside_duplicate_truth": 1}


def test_a_truth_that_never_met_a_prediction_is_a_dead_letter_from_a_timer(flink):
    job = flink()
    give(job, "s1", encode([truth(1, partition=2, offset=5)]))
    job.advance_watermark(NOW + 100 * DAY)
    job.advance_time(QUIET_MS)
    job.advance_time(2 * QUIET_MS)
    [letter] = letters(job)
    assert (letter["topic"], letter["partition"], letter["offset"]) == ("truths", 2, 5)
    assert letter["reason"] == "truth_without_prediction"
    told = orjson.loads(letter["payload"])
    assert (told["transaction_id"], told["label"], told["revision"]) == ("t1", 1, 1)


def test_shards_age_each_for_itself(flink):
    job = flink()
    give(job, "s1", encode([prediction()]))
    job.time_ms += 1_000
    give(job, "s2", encode([prediction("t2")]))
    assert ticks(job) == {(QUIET_MS, "s1"), (QUIET_MS + 1_000, "s2")}
    give(job, "s1", encode([prediction("t3")]))
    assert len(ticks(job)) == 2
