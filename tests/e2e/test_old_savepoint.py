"""The savepoint kept from 0.1.0 starts the present code: its deployment and its windows are still there."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.e2e.local import ROOT
from tests.e2e.models import stream
from tests.e2e.scoring import Scoring, wait_for

KEPT = ROOT / "tests" / "data" / "savepoint-0.1.0"
ROWS = 200


@pytest.fixture(scope="module")
def known():
    return json.loads((KEPT / "savepoint.json").read_text())


@pytest.fixture(scope="module")
def inferences(local, known, tmp_path_factory):
    """What a job says that was started from a copy of the savepoint, with nothing deployed, of old and new transactions."""
    scoring = Scoring(local, model=known["model"], shards=known["shards"])
    savepoint = tmp_path_factory.mktemp("kept") / "savepoint"
    shutil.copytree(KEPT, savepoint)
    scoring.submit(savepoint=savepoint.as_uri())
    try:
        rows = known["rows"]
        # The newest of those that were sent before the savepoint was made: repeats that only its state can know.
        scoring.produce(stream(rows).part(rows - ROWS, rows))
        scoring.produce(stream(rows, first_id="new-").part(rows - ROWS, rows))
        wait_for("all are answered", lambda: scoring.sum().missing == 0 and scoring.sent() >= 2 * ROWS, 120)
        assert scoring.restarts() == 0
        return scoring.messages("inferences"), scoring.messages("dead_letters")
    finally:
        scoring.stop()


def test_the_deployment_in_its_broadcast_state_scores(inferences, known):
    scored, _ = inferences
    for role in ("champion", "challenger"):
        mine = [each for each in scored if each["role"] == role]
        assert len(mine) == ROWS
        assert {each["digest"] for each in mine} == {known[role]}


def test_its_windows_know_the_transactions_of_then(inferences):
    scored, dead = inferences
    repeats = [letter for letter in dead if letter["topic"] == "transactions" and letter["reason"] == "duplicate"]
    assert len(repeats) == ROWS
    assert max(each["features"]["CUSTOMER_ID_NB_TX_30DAY_WINDOW"] for each in scored) > 2
