"""The quality stage as an operator: when rows come, how far revisions are apart, and which state is left."""

from __future__ import annotations

import itertools

import orjson
import pytest

from tests.unit.domain.truth_case import DAY, HOUR, START
from tests.unit.operators.fakes import FakeFlink
from tests.unit.operators.test_truth_join_stage import KEY
from tests.unit.operators.test_truth_join_stage import stage as join_stage
from udfs.domain.quality_change import Outcome, QualityChange, encode_changes
from udfs.operators import quality_stage
from udfs.operators.quality_stage import QualityStage


@pytest.fixture
def flink(monkeypatch):
    def start(**changed) -> FakeFlink:
        made = FakeFlink(QualityStage(join_stage(**changed)._settings))
        monkeypatch.setattr(quality_stage, "now_ms", lambda: made.time_ms)
        return made

    return start


def text(outcome: Outcome = Outcome.SCORED, start_ms: int = START) -> str:
    return encode_changes([QualityChange("cards", "1", "champion", "event_time", start_ms, 0.5, outcome, 1)])[KEY]


def rows(job: FakeFlink) -> list[dict]:
    found = [orjson.loads(row[1]) for row in job.out]
    job.out.clear()
    return found


def test_changes_wait_for_one_early_revision_of_each_window(flink):
    job = flink()
    for _ in range(5):
        job.send(KEY, text())
    assert not job.out
    assert job.processing_timers == {(200, KEY)}
    job.advance_time(200)
    keys = [row[0] for row in job.out]
    assert keys == [f"cards/1/champion/event_time/{START}", "cards/1/champion/event_time/0"]
    assert [(row["scored"], row["revision"], row["final"]) for row in rows(job)] == [(5, 1, False)] * 2
    assert not job.state["quality-waiting"].by_key[KEY]
    assert job.event_timers == {(START + HOUR + 30 * DAY, KEY)}


def test_early_revisions_of_a_window_are_never_closer_than_the_interval(flink):
    job, published = flink(), []
    for at in range(0, 3000, 7):
        job.advance_time(at)
        job.send(KEY, text())
        if at % 350 == 0:  # final rows of other windows in between
            job.send(KEY, text(start_ms=START - 400 * DAY + at * HOUR))
            job.advance_watermark(START - 300 * DAY + at * HOUR)
        published += [at for row in rows(job) if row["window_start_ms"] == START and not row["final"]]
    assert len(published) > 10
    assert min(after - before for before, after in itertools.pairwise(published)) >= 200 - 7


def test_a_final_row_counts_what_waits_and_the_index_alone_stays(flink):
    job = flink()
    job.send(KEY, text(Outcome.NEGATIVE))
    job.advance_time(200)
    rows(job)
    job.send(KEY, text(Outcome.NEGATIVE))
    job.advance_watermark(START + HOUR + 30 * DAY)
    [final] = rows(job)
    assert (final["final"], final["negatives"], final["revision"]) == (True, 2, 2)
    job.advance_time(400)
    [life] = rows(job)
    assert (life["window"], life["negatives"], life["revision"]) == ("life", 2, 2)
    assert not job.state["quality-waiting"].by_key[KEY]


def test_windows_are_forgotten_in_the_end(flink):
    job = flink()
    job.send(KEY, text())
    job.send(KEY, text(start_ms=START + 100 * DAY))
    job.advance_time(200)
    job.advance_watermark(START + 90 * DAY)
    windows = job.state["quality-windows"].by_key[KEY]
    assert f"event_time/{START}/{START + HOUR}" not in windows
    assert f"event_time/{START + 100 * DAY}/{START + 100 * DAY + HOUR}" in windows


def test_a_restart_publishes_what_waits(flink):
    job = flink()
    job.send(KEY, text())
    job.restart(QualityStage(join_stage()._settings))
    job.advance_time(200)
    assert [row["scored"] for row in rows(job)] == [1, 1]


def test_rolling_windows_have_keys_of_their_own(flink):
    job = flink(quality_rolling_ms=2 * HOUR)
    job.send(KEY, text())
    job.advance_time(200)
    keys = [row[0] for row in job.out]
    assert len(set(keys)) == len(keys) == 4
    assert f"cards/1/champion/event_time/{START}-{START + 2 * HOUR}" in keys
