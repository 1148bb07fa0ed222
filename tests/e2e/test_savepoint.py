"""``weir stop`` with a savepoint in mid-stream, ``weir submit`` from it: nothing lost, nothing twice, state kept."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from jobs.training_examples import examples_of
from jobs.transaction_sum import TransactionSum
from tests.e2e.models import HANDBOOK, stream, trained
from tests.e2e.scoring import Scoring, wait_for

ROWS = 8_000
RATE = 800
REPEATED = 100


@dataclass
class Story:
    """What happened before the tests look at it."""

    job: Scoring
    savepoint: str
    at_stop: int
    resubmitted: Any
    sum: TransactionSum
    inferences: list[dict[str, Any]]


@pytest.fixture(scope="module")
def story(scoring):
    """Submitted, stopped and submitted again by the command line, while the producer goes on."""
    local, settings = scoring.local, {"model": scoring.model}
    scoring.deploy(trained(1), "1")
    scoring.job_id = local.weir_json("submit", **settings)["job_id"]
    scoring.wait_for_event("activated", "1")
    dataset = stream(ROWS)
    producer = threading.Thread(target=scoring.produce, args=(dataset, RATE))
    producer.start()
    wait_for("a third is scored", lambda: len(scoring.records("inferences")) > ROWS / 3)
    savepoint = local.weir_json("stop", **settings)["savepoint"]
    at_stop = len(scoring.records("inferences"))
    assert scoring.flink.state(scoring.job_id) == "FINISHED"
    # What was scored just before the stop comes again: only restored state knows it.
    again = [each for each in scoring.messages("inferences")][-REPEATED:]
    sent = {each["transaction_id"]: each for each in scoring.messages("transactions")}
    scoring.job_id = local.weir_json("submit", "--savepoint", savepoint, **settings)["job_id"]
    resubmitted = local.weir("submit", **settings)
    repeats = [sent[each["transaction_id"]] for each in again]
    scoring.send((each["customer_id"].encode(), json.dumps(each).encode()) for each in repeats)
    producer.join(60)
    assert not producer.is_alive()
    total = scoring.wait_for_sum(ROWS + REPEATED)
    return Story(scoring, savepoint, at_stop, resubmitted, total, scoring.messages("inferences"))


def test_it_was_stopped_in_mid_stream_with_a_savepoint_on_disk(story):
    assert ROWS / 3 < story.at_stop < ROWS
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
    assert (story.sum.inferences, story.sum.null_scores) == (ROWS, 0)
    ids = [each["transaction_id"] for each in story.inferences]
    assert len(ids) == len(set(ids)) == ROWS
    assert {each["version"] for each in story.inferences} == {"1"}


def test_what_was_scored_before_the_stop_is_known_as_repeated_after_it(story):
    assert story.sum.duplicates == story.sum.dead_letters == REPEATED


def test_windows_of_customers_reach_back_over_the_savepoint(story):
    dataset = stream(ROWS)
    ids = [each["transaction_id"] for each in dataset.transactions()]
    names = [name for name in HANDBOOK.features if name.startswith(("CUSTOMER_ID", "TX_"))]
    expected = dict(zip(ids, (example.vector for example in examples_of(dataset, HANDBOOK)), strict=True))
    for each in story.inferences:
        got = {name: each["features"][name] for name in names}
        assert got == {name: expected[each["transaction_id"]][name] for name in names}
