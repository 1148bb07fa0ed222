"""Alerts from the topic to an unreliable receiver, by notifiers that are killed: each reaches it once."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from connectors.postgres.notification_queue import NotificationQueue
from jobs.registry_access import dsn_of
from tests.e2e.notifiers import SETTINGS, failed_or_timed_out, notifying, unreliable
from tests.e2e.scoring import Scoring, wait_for
from tests.webhook_receiver import Receiver, receiving

ALERTS, REPEATED = 240, 60


def alert(number: int) -> dict[str, Any]:
    identity = hashlib.sha256(f"notified-{number}\nrule".encode()).hexdigest()
    return {"alert_id": identity, "transaction_id": f"notified-{number}", "rule": "rule", "score": 0.9, "reasons": []}


@dataclass
class Story:
    """What happened before the tests look at it."""

    receiver: Receiver
    kills: int
    codes: list[int]
    last: dict[str, Any]
    queue: dict[str, int]


@pytest.fixture(scope="module")
def story(local, tmp_path_factory):
    """Some alerts come twice, as a replay writes them; two of the notifiers are killed."""
    scoring = Scoring(local, model="notified")
    log = tmp_path_factory.mktemp("notify") / "log"
    numbers = [*range(ALERTS), *range(REPEATED)]
    receiver = Receiver(unreliable)
    with receiving(receiver) as url, notifying(local, url, log, 2) as notifiers:
        scoring.send([(b"k", orjson.dumps(alert(each))) for each in numbers], topic="alerts")
        scoring.send([(None, b"no alert"), (None, b'{"alert_id": 1}')], topic="alerts")
        for calls in (40, 120):
            wait_for(f"{calls} calls", lambda calls=calls: len(receiver.calls) > calls, 90)
            notifiers.kill()
        wait_for("all alerts", lambda: len(receiver.acted) == ALERTS, 120)
        codes = notifiers.stop()
        done = local.weir("notify", "--webhook", url, "--until-empty", "--json", timeout_s=120, **SETTINGS)
    assert done.returncode == 0, done.stderr
    queue = NotificationQueue(dsn_of(scoring.settings, "notifier"))
    counts = queue.counts()
    queue.close()
    return Story(receiver, notifiers.kills, codes, json.loads(done.stdout), counts)


def test_a_receiver_that_honours_the_key_has_each_alert_once(story):
    assert set(story.receiver.acted) == {alert(each)["alert_id"] for each in range(ALERTS)}
    assert set(story.receiver.acted.values()) == {1}
    assert story.receiver.bodies[alert(7)["alert_id"]] == alert(7)
    assert story.receiver.unsigned == 0


def test_there_are_no_more_deliveries_than_crashes_and_failures_explain(story):
    raw, failed = len(story.receiver.calls), failed_or_timed_out(story.receiver)
    print(f"{ALERTS} alerts, {raw} deliveries, {failed} failed or timed out, {story.kills} notifiers killed")
    assert failed > ALERTS / 3
    assert raw <= ALERTS + story.kills + failed


def test_nothing_is_left_unsent(story):
    assert story.queue == {"queued": 0, "sending": 0, "sent": ALERTS, "dead": 0}
    assert story.last["queue"] == story.queue
    assert story.last["dead"] == 0


def test_a_notifier_that_is_asked_to_stop_ends_well(story):
    assert story.codes == [0, 0]


def test_without_a_secret_it_says_how_to_make_one(local):
    done = local.weir("notify", "--webhook", "http://127.0.0.1:1/")
    assert done.returncode == 2
    assert "WEIR_WEBHOOK_SECRET has 0 bytes" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_it_at_once(local, tmp_path):
    with receiving(Receiver()) as url:
        process = local.start("notify", "--webhook", url, "--json", log=tmp_path / "log", **SETTINGS)
        time.sleep(4)
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(20) == 0, (tmp_path / "log").read_text()
    assert json.loads((tmp_path / "log").read_text())["calls"] == 0
