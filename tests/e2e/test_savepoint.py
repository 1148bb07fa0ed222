"""``weir stop`` with a savepoint in mid-stream, ``weir submit`` from it: nothing lost, nothing twice, state kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from jobs.training.training_examples import examples_of
from jobs.transaction_sum import TransactionSum
from tests.e2e.models import HANDBOOK, stream, trained
from tests.e2e.scoring import Scoring, wait_for

PHASE = 2_500
"""Transactions before the stop, and after the new submission."""
MOST_ROWS = 100_000
RATE = 800
REPEATED = 100
DAYS = 20
"""Of event time: a customer's transactions are known as repeated for 32 days."""


@dataclass
class Story:
    """What happened before the tests look at it."""

    job: Scoring
    savepoint: str
    scored_before: int
    rows: int
    resubmitted: Any
    sum: TransactionSum
    inferences: list[dict[str, Any]]


@pytest.fixture(scope="module")
def story(scoring):
    """Submitted, stopped and submitted again by the command line, while the producer goes on."""
    local, settings = scoring.local, {"model": scoring.model}
    scoring.deploy(trained(1), "1")
    scoring.job_id = local.weir_json("submit", "--only", "scoring", **settings)["job_id"]
    scoring.wait_for_event("activated", "1")
    with scoring.producing(stream(MOST_ROWS, days=DAYS), RATE):
        wait_for("a phase is sent", lambda: scoring.sent() > PHASE)
        savepoint = local.weir_json("stop", **settings)["savepoint"]
        assert scoring.flink.state(scoring.job_id) == "FINISHED"
        before_stop = scoring.messages("inferences")
        scoring.job_id = local.weir_json("submit", "--only", "scoring", "--savepoint", savepoint, **settings)["job_id"]
        by_now = scoring.sent()
        resubmitted = local.weir("submit", "--only", "scoring", **settings)
        wait_for("another phase is sent", lambda: scoring.sent() > by_now + PHASE)
    rows = scoring.sent()
    # What was scored just before the stop comes again: only restored state knows it.
    sent = {each["transaction_id"]: each for each in scoring.messages("transactions")}
    repeats = [sent[each["transaction_id"]] for each in before_stop[-REPEATED:]]
    scoring.send((each["customer_id"].encode(), json.dumps(each).encode()) for each in repeats)
    total = scoring.wait_for_sum(rows + REPEATED)
    return Story(scoring, savepoint, len(before_stop), rows, resubmitted, total, scoring.messages("inferences"))


def test_it_was_stopped_in_mid_stream_with_a_savepoint_on_disk(story):
    assert PHASE / 2 < story.scored_before < story.rows - PHASE
    assert (Path(urlsplit(story.savepoint).path) / "_metadata").exists()


def test_the_job_says_that_it_was_restored_from_that_savepoint(story):
    restored = story.job.flink.checkpoints(story.job.job_id)["latest"]["restored"]
    assert restored["is_savepoint"] is True
    assert restored["external_path"].rstrip("/") == story.savepoint.rstrip("/")
    assert story.job.restarts() == 0


def test_a_second_submit_is_refused_in_one_sentence(story):
    assert story.resubmitted.returncode == 2
    assert story.job.job_id in story.resubmitted.stderr
    assert "weir stop" in story.resubmitted.stderr


def test_the_sum_holds_over_the_savepoint(story):
    assert story.sum.holds, str(story.sum)
    assert (story.sum.inferences, story.sum.null_scores) == (story.rows, 0)
    ids = [each["transaction_id"] for each in story.inferences]
    assert len(ids) == len(set(ids)) == story.rows
    assert {each["version"] for each in story.inferences} == {"1"}


def test_what_was_scored_before_the_stop_is_known_as_repeated_after_it(story):
    assert story.sum.duplicates == story.sum.dead_letters == REPEATED


def test_windows_of_customers_reach_back_over_the_savepoint(story):
    dataset = stream(MOST_ROWS, days=DAYS).part(0, story.rows)
    ids = [each["transaction_id"] for each in dataset.transactions()]
    names = [name for name in HANDBOOK.features if name.startswith(("CUSTOMER_ID", "TX_"))]
    expected = dict(zip(ids, (example.vector for example in examples_of(dataset, HANDBOOK)), strict=True))
    for each in story.inferences:
        got = {name: each["features"][name] for name in names}
        assert got == {name: expected[each["transaction_id"]][name] for name in names}
