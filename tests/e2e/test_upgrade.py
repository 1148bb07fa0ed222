"""``weir upgrade`` in mid-stream: code that cannot read the state is not taken, changed code is."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any

import pytest

from connectors.local.task_managers import RESERVED
from jobs.training.training_examples import examples_of
from jobs.transaction_sum import TransactionSum
from tests.e2e.local import ROOT
from tests.e2e.models import HANDBOOK, stream, trained
from tests.e2e.scoring import Scoring, wait_for

PHASE = 1_000
MOST_ROWS = 200_000
RATE = 400
REPEATED = 100
DAYS = 40
PACKAGES = ("connectors", "jobs", "model_store", "sql", "udfs")


@dataclass
class Story:
    """What happened before the tests look at it."""

    job: Scoring
    rows: int
    first_job: str
    refused: subprocess.CompletedProcess[str]
    refused_states: dict[str, str]
    scored_with_refused: int
    upgraded: dict[str, Any]
    kept: set[str]
    sum: TransactionSum
    inferences: list[dict[str, Any]]


def changed_code(folder, file, before, after):
    """Return a copy of the packages with one line changed, as a person's next checkout would be."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    text = (folder / file).read_text()
    assert text.count(before) == 1
    (folder / file).write_text(text.replace(before, after))
    return folder


@pytest.fixture(scope="module")
def story(scoring, tmp_path_factory):
    """Two upgrades in mid-stream, the first to code that reads state of another schema."""
    local, settings = scoring.local, {"model": scoring.model}
    folder = tmp_path_factory.mktemp("code")
    unread = changed_code(folder / "unread", "udfs/domain/small_history.py", "\nSCHEMA = 2\n", "\nSCHEMA = 7\n")
    told = '"warming_up": transaction["warming_up"],'
    better = changed_code(folder / "better", "udfs/domain/inference.py", told, f'{told} "upgraded": True,')
    scoring.deploy(trained(1), "1")
    scoring.job_id = first_job = local.weir_json("submit", "--only", "scoring", **settings)["job_id"]
    with scoring.producing(stream(MOST_ROWS, days=DAYS), RATE):
        wait_for("a phase is scored", lambda: len(scoring.messages("inferences")) > PHASE)
        refused = local.weir("upgrade", code=unread, **settings)
        states = {each["jid"]: each["state"] for each in scoring.flink.jobs()}
        scored_with_refused = sum("upgraded" in each for each in scoring.messages("inferences"))
        wait_for("all TaskManagers are there", lambda: len(scoring.flink.taskmanagers()) == 2 + RESERVED)
        before = {each["id"] for each in scoring.flink.taskmanagers()}
        upgraded = local.weir_json("upgrade", code=better, **settings)
        scoring.job_id = upgraded["job_id"]
        kept = before & {each["id"] for each in scoring.flink.taskmanagers()}
        by_now = scoring.sent()
        wait_for("another phase is sent", lambda: scoring.sent() > by_now + PHASE)
    rows = scoring.sent()
    sent = scoring.messages("transactions")[:REPEATED]
    scoring.send((each["customer_id"].encode(), json.dumps(each).encode()) for each in sent)
    total = scoring.wait_for_sum(rows + REPEATED)
    inferences = scoring.messages("inferences")
    return Story(scoring, rows, first_job, refused, states, scored_with_refused, upgraded, kept, total, inferences)


def test_code_that_cannot_read_the_state_is_not_taken_and_the_command_says_what_to_do(story):
    assert story.refused.returncode == 2
    said = " ".join(story.refused.stderr.split())
    assert "The state of an entity has schema 2, this version reads schema 7" in said
    assert "restore the savepoint with the version that wrote it" in said
    assert "runs again from" in said
    assert "Traceback" not in said


def test_it_failed_once_and_did_not_loop_and_the_old_code_went_on(story):
    states = dict(story.refused_states)
    assert states.pop(story.first_job) == "FINISHED"
    mine = [state for jid, state in states.items() if jid in story.refused.stderr]
    assert mine == ["RUNNING"]
    failed = [jid for jid, state in states.items() if state == "FAILED"]
    assert len(failed) == 1
    assert story.job.flink.restarts(failed[0]) == 0
    assert story.scored_with_refused == 0


def test_the_changed_code_is_at_work_and_the_pause_is_told(story):
    assert story.upgraded["upgraded"] is True
    assert 0 < story.upgraded["pause_s"] < 120
    by_position = sorted(story.inferences, key=lambda each: each["prediction_time_ms"])
    assert "upgraded" not in by_position[0]
    assert by_position[-1]["upgraded"] is True
    print(f"the pause of the upgrade: {story.upgraded['pause_s']} s")
    assert story.job.restarts() == 0


def test_only_taskmanagers_that_held_the_old_code_were_replaced(story):
    assert len(story.kept) == RESERVED


def test_nothing_was_lost_or_scored_twice_over_the_upgrades(story):
    assert story.sum.holds, str(story.sum)
    assert (story.sum.inferences, story.sum.null_scores) == (story.rows, 0)
    ids = [each["transaction_id"] for each in story.inferences]
    assert len(ids) == len(set(ids)) == story.rows
    assert story.sum.duplicates == story.sum.dead_letters == REPEATED


def test_windows_are_those_of_an_uninterrupted_run(story):
    dataset = stream(MOST_ROWS, days=DAYS).part(0, story.rows)
    ids = [each["transaction_id"] for each in dataset.transactions()]
    names = [name for name in HANDBOOK.features if name.startswith(("CUSTOMER_ID", "TX_"))]
    expected = dict(zip(ids, (example.vector for example in examples_of(dataset, HANDBOOK)), strict=True))
    for each in story.inferences:
        got = {name: each["features"][name] for name in names}
        assert got == {name: expected[each["transaction_id"]][name] for name in names}
