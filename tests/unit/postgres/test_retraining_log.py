"""Decisions are rows that stay as they were written, in a real PostgreSQL."""

from __future__ import annotations

import psycopg
import pytest

from connectors.postgres.retraining_decision import RetrainingDecision
from connectors.postgres.retraining_log import RetrainingLog
from udfs.domain.errors import ConnectionLostError, RegistryError

PROMOTED = RetrainingDecision(
    "fraud", "promote", "3", "2", "better", 0.05, 0.01, 0.09, 60, 4_000, None, dry_run=False, who="root"
)


def test_decisions_come_back_as_they_were_written_the_newest_first(dsn):
    log = RetrainingLog(dsn)
    trained = RetrainingDecision("fraud", "train", "3", "2", "100 new", tag="training-1", dry_run=True)
    for each in (trained, PROMOTED, RetrainingDecision("other", "skip", None, None, "nothing new")):
        log.write(each)
    assert log.decisions("fraud") == [PROMOTED, trained]
    assert log.decisions("fraud", limit=1) == [PROMOTED]


@pytest.mark.parametrize(
    "change", ["UPDATE weir.retraining_decision SET reason = 'x'", "DELETE FROM weir.retraining_decision"]
)
def test_a_decision_is_never_rewritten(dsn, change):
    RetrainingLog(dsn).write(PROMOTED)
    with psycopg.connect(dsn) as connection, pytest.raises(psycopg.errors.IntegrityError, match="only takes new rows"):
        connection.execute(change)


def test_an_action_that_is_none_is_refused(dsn):
    with pytest.raises(RegistryError):
        RetrainingLog(dsn).write(RetrainingDecision("fraud", "dance", "3", None, "why not"))


def test_without_a_database_it_says_so():
    with pytest.raises(ConnectionLostError, match="PostgreSQL does not answer"):
        RetrainingLog("host=127.0.0.1 port=1 connect_timeout=1").decisions("fraud")
