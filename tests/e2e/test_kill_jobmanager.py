"""kill -9 of the JobManager in mid-stream: its successor finds the job in ZooKeeper, and the sums are the same."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass

import pytest

from jobs.transaction_sum import TransactionSum
from tests.e2e.models import stream, trained
from tests.e2e.scoring import Scoring, wait_for
from udfs.domain.errors import WeirError

ROWS = 6_000
RATE = 300


@dataclass
class Story:
    """What happened before the tests look at it."""

    job: Scoring
    recovery_s: float
    sum: TransactionSum
    offsets: list[tuple[int, int]]


@pytest.fixture(scope="module")
def story(scoring):
    """Two checkpoints are complete, transactions come: the only JobManager is killed."""
    scoring.deploy(trained(1), "1")
    scoring.submit()
    scoring.wait_for_event("activated", "1")
    already = scoring.completed_checkpoints()
    with scoring.producing(stream(ROWS), RATE):
        wait_for("two checkpoints", lambda: scoring.completed_checkpoints() >= already + 2)
        state = scoring.stack.status()
        assert state is not None
        os.kill(state.components["jobmanager"].pid, signal.SIGKILL)
        killed = time.monotonic()
        wait_for("the job runs again", lambda: _runs(scoring), timeout_s=180)
        recovery_s = time.monotonic() - killed
        wait_for("all is sent", lambda: scoring.sent() >= ROWS, timeout_s=90)
    total = scoring.wait_for_sum(ROWS)
    offsets = [(each["source_partition"], each["source_offset"]) for each in scoring.messages("inferences")]
    return Story(scoring, recovery_s, total, offsets)


def _runs(scoring: Scoring) -> bool:
    try:
        return scoring.flink.all_run(scoring.job_id)
    except WeirError:
        return False  # the dead one's successor is not there yet, or has not read its jobs


def test_the_successor_went_on_with_the_same_job_from_a_checkpoint(story):
    restored = story.job.flink.checkpoints(story.job.job_id)["latest"]["restored"]
    assert restored is not None
    assert restored["is_savepoint"] is False
    assert restored["id"] >= 2


def test_the_sums_are_the_same_as_without_the_kill(story):
    assert story.sum.holds, str(story.sum)
    assert (story.sum.transactions, story.sum.inferences, story.sum.null_scores) == (ROWS, ROWS, 0)
    assert len(story.offsets) == len(set(story.offsets)) == ROWS


def test_it_recovers_in_time_though_the_machine_may_be_busy(story, record_property):
    record_property("recovery_s", round(story.recovery_s, 1))
    print(f"recovered {story.recovery_s:.1f} s after the kill")
    assert story.recovery_s < 120
