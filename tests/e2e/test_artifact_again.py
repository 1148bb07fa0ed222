"""A version whose bytes the job let go long ago is deployed, from rows that the database sends again."""

from __future__ import annotations

from tests.e2e.artifact_again import let_go_and_come_again
from tests.e2e.models import trained


def test_it_is_active_without_waiting_and_its_rows_came_ahead_of_it(scoring):
    scoring.deploy(trained(1), "1")
    scoring.submit()
    scoring.wait_for_event("activated", "1", 120)
    let_go_and_come_again(scoring)
    assert scoring.restarts() == 0
