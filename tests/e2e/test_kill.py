"""kill -9 of a TaskManager in mid-stream: restored from a checkpoint, and the sums are the same."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

import pytest

from jobs.transaction_sum import TransactionSum
from tests.e2e.models import stream, trained
from tests.e2e.scoring import Scoring, wait_for

ROWS = 20_000
RATE = 1_500


@dataclass
class Story:
    """What happened before the tests look at it."""

    job: Scoring
    checkpoints_before: int
    scored_before: int
    sent_before: int
    managers_before: set[str]
    recovery_s: float
    sum: TransactionSum
    inferences: list[dict[str, Any]]


@pytest.fixture(scope="module")
def story(scoring):
    """A quarter of the input is left, two checkpoints are complete: one TaskManager of two is killed."""
    digest = scoring.deploy(trained(1), "1")
    scoring.submit()
    scoring.wait_for_event("activated", "1")
    already = scoring.completed_checkpoints()
    scoring.produce(stream(ROWS).part(0, ROWS * 3 // 4), RATE)
    wait_for("two checkpoints", lambda: scoring.completed_checkpoints() >= already + 2)
    # A job that has just begun may be a while behind the producer.
    wait_for("half of it is scored", lambda: len(scoring.records("inferences")) >= ROWS / 2, 120, pause_s=1)
    managers = {each["id"] for each in scoring.flink.taskmanagers()}
    scored = len(scoring.records("inferences"))
    rest = stream(ROWS).part(ROWS * 3 // 4)
    producer = threading.Thread(target=scoring.produce, args=(rest, RATE), kwargs={"close": True})
    producer.start()
    before = (scoring.completed_checkpoints() - already, scored, scoring.sent(), managers)
    scoring.kill(scoring.workers()[-1])
    killed = time.monotonic()
    wait_for("a restore", lambda: _restored(scoring), timeout_s=90)
    wait_for("the job runs", lambda: scoring.flink.all_run(scoring.job_id), timeout_s=180)
    recovery_s = time.monotonic() - killed
    producer.join(120)
    assert not producer.is_alive()
    total = scoring.wait_for_sum(ROWS + 4)
    inferences = scoring.messages("inferences")
    assert {each["digest"] for each in inferences} == {digest}
    return Story(scoring, *before, recovery_s, total, inferences)


def _restored(scoring: Scoring) -> dict[str, Any] | None:
    return scoring.flink.checkpoints(scoring.job_id)["latest"]["restored"]


def test_it_was_killed_after_two_checkpoints_with_a_quarter_of_the_input_left(story):
    assert story.checkpoints_before >= 2
    assert story.scored_before >= ROWS / 2
    assert story.sent_before == pytest.approx(ROWS * 3 / 4, abs=RATE)


def test_flink_restored_the_job_from_a_checkpoint_on_a_new_task_manager(story):
    restored = _restored(story.job)
    assert restored is not None
    assert restored["is_savepoint"] is False
    assert restored["id"] >= 2
    # The job went on where a TaskManager was free; the killed one's successor comes in its own time.
    before = story.managers_before

    def successor() -> set[str]:
        now = {each["id"] for each in story.job.flink.taskmanagers()}
        return now - before if len(now) == len(before) else set()

    assert len(wait_for("a new TaskManager is there", successor, 120)) == 1
    wait_for("Flink tells the restart", lambda: story.job.restarts() >= 1)


def test_the_sums_are_the_same_as_without_the_kill(story):
    assert story.sum.holds, str(story.sum)
    assert (story.sum.transactions, story.sum.inferences, story.sum.controls) == (ROWS + 4, ROWS, 4)
    assert (story.sum.null_scores, story.sum.dead_letters) == (0, 0)
    offsets = [(each["source_partition"], each["source_offset"]) for each in story.inferences]
    assert len(offsets) == len(set(offsets)) == ROWS


def test_it_recovers_in_time_though_the_machine_may_be_busy(story, record_property):
    record_property("recovery_s", round(story.recovery_s, 1))
    print(f"recovered {story.recovery_s:.1f} s after the kill, restarts: {story.job.restarts()}")
    assert story.recovery_s < 120
