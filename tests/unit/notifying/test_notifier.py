"""The notifier on a real queue and a real receiver; only the topic is replaced, Kafka has its end-to-end test."""

from __future__ import annotations

import threading
import time
from collections import deque
from itertools import pairwise

import pytest

from connectors.postgres.notification_queue import NotificationQueue
from connectors.webhook.signature import Signature
from connectors.webhook.webhook import Webhook
from jobs.notifying.notifier import Notifier
from tests.webhook_receiver import SECRET, Receiver, receiving
from udfs.domain.errors import ConnectionLostError


class Batches:
    """An intake whose topic is a list of batches; an error in it is raised."""

    def __init__(self, queue, *batches):
        self.queue, self.batches, self.unreadable = queue, deque(batches), 0

    def take(self, timeout_s):
        if not self.batches:
            return 0
        batch = self.batches.popleft()
        if isinstance(batch, Exception):
            raise batch
        return self.queue.enqueue(batch, "alerts", {})

    def behind(self):
        return len(self.batches)


def alerts(count, first=0):
    return [{"alert_id": f"{first + n:064x}", "transaction_id": f"t{first + n}"} for n in range(count)]


@pytest.fixture
def queue(dsn, postgres):
    made = NotificationQueue(postgres.dsn_for("notifier"))
    yield made
    made.close()


def run(queue, receiver, *batches, until_empty=True, stop=None, **rules):
    told = []
    values = {"timeout_ms": 300, "attempts": 30, "backoff_ms": 5, "tell": told.append, **rules}
    with receiving(receiver) as url:
        webhook = Webhook(url, Signature(SECRET), values["timeout_ms"] / 1_000)
        notifier = Notifier(queue, Batches(queue, *batches), webhook, **values)
        done = notifier.run(stop or threading.Event(), until_empty=until_empty, progress=lambda done: None)
        webhook.close()
    return done, told


def test_each_alert_is_sent_though_one_call_in_three_fails(queue):
    receiver = Receiver(lambda call: (500 if call % 3 == 2 else 200, 0.0, call % 2 == 0 or call % 3 != 2))
    done, told = run(queue, receiver, alerts(40), alerts(40, first=20))
    assert sorted(receiver.acted) == [each["alert_id"] for each in alerts(60)]
    assert queue.counts() == {"queued": 0, "sending": 0, "sent": 60, "dead": 0}
    assert (done.queued, done.sent, done.calls) == (60, 60, 60 + done.failed)
    assert done.failed == sum(status == 500 for _, status, _ in receiver.calls)
    assert told == []


def test_an_alert_that_nobody_takes_is_dead_after_its_attempts_and_the_next_one_is_sent(queue):
    poison = alerts(1)[0]["alert_id"]
    receiver = Receiver()
    receiver.plan = lambda call: (200, 0.0, True)
    taken = receiver.take

    def refuse_poison(headers, body):
        status, wait_s, number = taken(headers, body)
        return (400 if headers["idempotency-key"] == poison else status), wait_s, number

    receiver.take = refuse_poison
    done, told = run(queue, receiver, alerts(3), attempts=4)
    assert (done.dead, done.sent, done.failed) == (1, 2, 4)
    assert told == [f"alert {poison[:12]} is given up after 4 calls: answered 400 Bad Request"]
    assert queue.counts() == {"queued": 0, "sending": 0, "sent": 2, "dead": 1}


def test_what_is_queued_is_sent_while_the_topic_is_away(queue):
    queue.enqueue(alerts(3), "alerts", {})
    stop = threading.Event()
    receiver = Receiver()

    def stop_after_three(call):
        if call == 2:
            stop.set()
        return 200, 0.0, True

    receiver.plan = stop_after_three
    done, told = run(
        queue, receiver, ConnectionLostError("Kafka is away"), alerts(1, first=9), until_empty=False, stop=stop
    )
    assert (done.sent, done.queued) == (3, 0)
    assert told == ["no new alerts are taken in for now: Kafka is away"]


def test_a_day_ends_with_its_budget(queue):
    receiver = Receiver(lambda call: (500 if call == 0 else 200, 0.0, True))
    done, _ = run(queue, receiver, alerts(10), daily_budget=4)
    assert (done.sent, done.failed) == (4, 1)
    assert queue.counts()["queued"] == 6


def test_a_receiver_that_asks_for_no_wait_is_left_alone_for_the_back_off_all_the_same(queue):
    times = []

    def busy(call):
        times.append(time.monotonic())
        return 503, 0.0, False

    done, _ = run(queue, Receiver(busy), alerts(1), attempts=4, backoff_ms=200)
    assert (done.calls, done.dead) == (4, 1)
    gaps = [after - before for before, after in pairwise(times)]
    assert all(gap >= least for gap, least in zip(gaps, (0.1, 0.2, 0.4), strict=True)), gaps
