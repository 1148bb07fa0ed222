"""A few hundred malformed records over every topic the job reads: each comes back with a reason, nothing restarts."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from jobs.transaction_sum import TransactionSum
from tests.e2e.models import stream, trained, without_truths
from tests.e2e.scoring import Scoring
from tests.faults.fuzz import FuzzResult, fuzz
from tests.faults.fuzzer import TOPICS

MALFORMED = 600
ROWS = 400


@dataclass
class Story:
    """What happened before the tests look at it."""

    job: Scoring
    result: FuzzResult
    sum: TransactionSum


@pytest.fixture(scope="module")
def story(scoring):
    """Good transactions come while malformed records are sent to every topic."""
    scoring.deploy(trained(1), "1")
    scoring.submit()
    scoring.wait_for_event("activated", "1")
    with scoring.producing(without_truths(stream(ROWS)), 100):
        result = fuzz(scoring, MALFORMED, seed=20_261_124, patience_s=90)
        scoring.wait_for_sum(ROWS + result.sent["transactions"])
    return Story(scoring, result, scoring.sum())


def test_every_topic_got_malformed_records(story):
    assert set(story.result.sent) == set(TOPICS)
    assert min(story.result.sent.values()) > MALFORMED / 5


def test_each_comes_back_as_a_dead_letter_with_a_reason(story):
    assert story.result.unanswered == {}
    assert story.result.unexplained == {}
    assert story.result.reasons.total() == MALFORMED
    assert len(story.result.reasons) >= 10


def test_the_job_was_not_restarted_and_scored_what_was_good(story):
    assert story.result.restarts == 0
    assert story.sum.holds, str(story.sum)
    assert (story.sum.inferences, story.sum.dead_letters) == (ROWS, story.result.sent["transactions"])


def test_the_gate_still_takes_a_version_after_all_that(story):
    story.job.deploy(trained(2), "2")
    story.job.wait_for_event("activated", "2")
