"""Ten swaps, forwards and back, while a TaskManager and Kafka Connect are killed and old registry records come again."""

from __future__ import annotations

import pytest

from tests.e2e.swap_run import run_swaps

SWAPS, RATE, PAUSE_S = 10, 500, 0.3


@pytest.fixture(scope="module")
def run(scoring):
    return run_swaps(scoring, SWAPS, RATE, PAUSE_S, kills_of_each=1)


def test_no_transaction_is_missing_and_none_has_two_scores(run):
    assert run.sum.holds, str(run.sum)
    assert run.inferences == run.sum.inferences == run.sum.transactions


def test_no_score_is_by_a_version_that_was_not_active(run):
    assert (run.not_active, run.out_of_turn, run.wrong_digest) == (0, 0, 0)


def test_every_swap_reached_every_subtask_that_scored(run):
    assert len(run.swaps) == SWAPS
    assert all(swap.first_ms for swap in run.swaps)
    assert run.kills == 2


def test_old_records_of_the_registry_and_tombstones_moved_nothing(run, scoring):
    """They came in mid-run; a version they had moved back would have scored out of turn."""
    activated = [each["deployment_seq"] for each in scoring.model_events("activated")]
    assert len(activated) == len(set(activated)) == SWAPS + 1


def test_no_model_restarted_the_job(run):
    assert run.restarts_by_python == 0


def test_every_score_can_be_made_again(run):
    assert run.verified == {**run.verified, "compared": run.inferences, "mismatched": 0}
