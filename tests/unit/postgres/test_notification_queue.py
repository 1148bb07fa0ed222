"""The notifier's queue on a real PostgreSQL, as the role that has only it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from connectors.local.postgres import Postgres
from connectors.postgres.notification_queue import NotificationQueue

LEASE_MS = 60_000


def alert(number: int) -> dict[str, object]:
    return {"alert_id": f"{number:064x}", "transaction_id": f"t{number}", "score": 0.1 + number / 1e6}


@pytest.fixture
def queues(dsn: str, postgres: Postgres):
    """Return four programs' connections."""
    made = [NotificationQueue(postgres.dsn_for("notifier")) for _ in range(4)]
    yield made
    for queue in made:
        queue.close()


@pytest.fixture
def queue(queues):
    return queues[0]


def test_an_alert_enters_once_whatever_is_replayed_and_its_place_is_kept(queue) -> None:
    assert queue.enqueue([alert(1), alert(2), alert(1)], "alerts", {0: 3, 2: 7}) == 2
    assert queue.enqueue([alert(2), alert(3)], "alerts", {0: 5}) == 1
    assert queue.places("alerts") == {0: 5, 2: 7}
    assert queue.counts() == {"queued": 3, "sending": 0, "sent": 0, "dead": 0}
    claimed = queue.claim(LEASE_MS)
    assert claimed.payload == alert(1)
    queue.mark_sent(claimed)
    assert queue.enqueue([alert(1)], "alerts", {}) == 0
    assert queue.counts() == {"queued": 2, "sending": 0, "sent": 1, "dead": 0}


def test_four_senders_at_once_never_hold_the_same_alert(queues) -> None:
    queues[0].enqueue([alert(number) for number in range(200)], "alerts", {})
    gate = threading.Barrier(4)

    def work(queue: NotificationQueue) -> list[str]:
        gate.wait()
        held = []
        while (claimed := queue.claim(LEASE_MS)) is not None:
            held.append(claimed.alert_id)
            queue.mark_sent(claimed)
        return held

    with ThreadPoolExecutor(4) as pool:
        held = [each for part in pool.map(work, queues) for each in part]
    assert sorted(held) == [alert(number)["alert_id"] for number in range(200)]
    assert queues[0].counts()["sent"] == 200


def test_two_programs_may_queue_the_same_alerts_at_once(queues) -> None:
    alerts = [alert(number) for number in range(300)]
    gate = threading.Barrier(4)

    def take(queue: NotificationQueue) -> int:
        gate.wait()
        return sum(queue.enqueue(alerts[start : start + 50], "alerts", {0: start}) for start in range(0, 300, 50))

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(take, queues)) == 300


def test_what_a_dead_sender_held_comes_free_with_its_lease(queues) -> None:
    queues[0].enqueue([alert(1)], "alerts", {})
    lost = queues[0].claim(300)
    queues[0].close()
    assert queues[1].claim(LEASE_MS) is None
    time.sleep(0.35)
    taken = queues[1].claim(LEASE_MS)
    assert (taken.alert_id, taken.attempts) == (lost.alert_id, 2)
    assert queues[2].mark_failed(lost, "too late", 0, dead=True) is False
    assert queues[2].counts()["sending"] == 1
    queues[2].mark_sent(lost)
    assert queues[1].mark_failed(taken, "also late", 0, dead=True) is False
    assert queues[1].counts() == {"queued": 0, "sending": 0, "sent": 1, "dead": 0}


def test_a_failed_alert_waits_and_a_dead_one_stays_until_it_is_revived(queue) -> None:
    queue.enqueue([alert(1), alert(2)], "alerts", {})
    first, second = queue.claim(LEASE_MS), queue.claim(LEASE_MS)
    assert queue.mark_failed(first, "answered 503", 60_000, dead=False)
    assert queue.mark_failed(second, "answered 503", 0, dead=True)
    assert queue.claim(LEASE_MS) is None
    assert queue.counts() == {"queued": 1, "sending": 0, "sent": 0, "dead": 1}
    assert queue.revive() == 1
    again = queue.claim(LEASE_MS)
    assert (again.alert_id, again.attempts) == (second.alert_id, 1)


def test_a_budget_holds_however_many_send_and_repeats_are_free(queues) -> None:
    queues[0].enqueue([alert(number) for number in range(30)], "alerts", {})
    gate = threading.Barrier(4)

    def work(queue: NotificationQueue) -> int:
        gate.wait()
        begun = 0
        while (claimed := queue.claim(LEASE_MS, daily_budget=7)) is not None:
            begun += claimed.attempts == 1
            if claimed.attempts == 1:
                queue.mark_failed(claimed, "answered 500", 0, dead=False)
            else:
                queue.mark_sent(claimed)
        return begun

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, queues)) == 7
    assert queues[0].counts() == {"queued": 23, "sending": 0, "sent": 7, "dead": 0}
    assert queues[0].unfinished(daily_budget=7) == 0
    assert queues[0].unfinished(daily_budget=8) == 23
    assert queues[0].unfinished() == 23


def test_it_connects_again_after_its_connection_was_cut(queue, dsn: str) -> None:
    queue.enqueue([alert(1)], "alerts", {})
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'notifier'")
    with pytest.raises(Exception, match="does not answer"):
        queue.counts()
    assert queue.counts()["queued"] == 1


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM weir.notification",
        "TRUNCATE weir.notification",
        "SELECT * FROM weir.model_artifact",
        "INSERT INTO weir.model_activation (model) VALUES ('fraud')",
        "SELECT * FROM weir.model_deployment",
    ],
)
def test_the_role_has_its_queue_and_nothing_else(dsn: str, postgres: Postgres, statement: str) -> None:
    with (
        psycopg.connect(postgres.dsn_for("notifier")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement)
