"""One stream goes twice through the job with order = event_time: once while everything is broken, once undisturbed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from connectors.data.dataset import Dataset
from connectors.kafka.producer import Producer
from jobs.accounting import Accounting
from jobs.transaction_sum import TransactionSum
from tests.e2e.local import Local
from tests.e2e.models import trained
from tests.e2e.scoring import Scoring
from tests.faults.alongside import Alongside
from tests.faults.answers import Answers, count_differing
from tests.faults.breaker import Breaker, Broken, NotPossible, small_disk
from tests.faults.load import Load
from tests.faults.plan import Plan
from tests.faults.row import Row

__all__ = ["disturbed"]

THRESHOLD = 0.954
"""Of the model's scores; about one in seventy of the load's transactions reaches it and raises an alert."""
SETTINGS = {
    "order": "event_time",
    "emit_features": True,
    # Past the hour by which clocks are off, ahead and behind.
    "allowed_lateness_ms": 3 * 3_600_000,
    "truth_retention_ms": 20 * 86_400_000,
}
NAMES = {
    ("kill", "taskmanager"): "kill -9 of a TaskManager",
    ("kill", "jobmanager"): "kill -9 of the JobManager",
    ("kill", "kafka"): "kill -9 of Kafka",
    ("kill", "connect"): "kill -9 of Connect",
    ("kill", "mlflow"): "kill -9 of MLflow",
    ("kill", "zookeeper"): "kill -9 of ZooKeeper",
    ("kill", "api"): "kill -9 of the API",
    ("kill", "notifier"): "kill -9 of a notifier",
    ("lose", "slot"): "the replication slot dropped",
    ("full", "checkpoints"): "the checkpoints' disk full",
}


@dataclass
class Spell:
    """The time under one fault, by the broker's clock."""

    name: str
    start_ms: int
    end_ms: int = 0
    recovery_s: float | None = None
    trouble: str = ""
    impossible: bool = False


def disturbed(
    local: Local, plan: Plan, *, seed: int, rate: float, minutes: float, say: Callable[[str], None]
) -> list[Row]:
    """Run both and compare; return a row for each kind of fault and for each thing compared."""
    scoring = Scoring(local, "faults", **SETTINGS)
    load = Load.of(int(rate * max(20.0, 3 * minutes) * 60), seed)
    scoring.deploy(trained(1), "1", threshold=THRESHOLD)
    with small_disk(scoring.stack.home / "flink" / "checkpoints") as no_disk:
        scoring.submit()
        scoring.wait_for_event("activated", "1", 180)
        with Alongside.running(scoring) as alongside:
            course = _break_everything(Breaker(scoring, alongside), scoring, load, plan, rate, no_disk, say)
            say("closing the stream")
            _close(scoring, load)
            sent = scoring.sent()
            total = scoring.wait_for_sum(sent, 600)
            notified = alongside.sent_once()
        answers = Answers.read(scoring)
        scoring.stop()
    say(f"the disturbed run: {total}")
    undisturbed = _undisturbed(local, scoring, sent, say)
    rows = _rows(course, answers, undisturbed)
    rows.append(notified)
    rows.append(Row("all of it", 1, [], total.transactions, str(total), _whole(total) and total.null_scores == 0))
    return rows


def _break_everything(
    breaker: Breaker, scoring: Scoring, load: Load, plan: Plan, rate: float, no_disk: str, say: Callable[[str], None]
) -> list[Spell]:
    course: list[Spell] = []
    with scoring.producing(load, rate):  # type: ignore[arg-type]
        time.sleep(20)  # until truths are known and event time goes on
        for kind, component in plan.faults:
            seconds = plan.down_s.get(component, 0)
            name = NAMES.get((kind, component)) or f"{component} down for {seconds} s"
            spell = Spell(name, time.time_ns() // 1_000_000)
            try:
                if kind == "kill":
                    spell.recovery_s = breaker.kill(component)
                elif kind == "down":
                    spell.recovery_s = breaker.down(component, seconds)
                elif kind == "lose":
                    spell.recovery_s = breaker.lose_slot()
                else:
                    spell.recovery_s = breaker.full()
            except NotPossible as error:
                spell.trouble, spell.impossible = no_disk or str(error), True
            except (Broken, AssertionError) as error:
                spell.trouble = str(error)
            spell.end_ms = time.time_ns() // 1_000_000
            course.append(spell)
            say(f"{name}: {spell.trouble or f'well after {spell.recovery_s:.1f} s'}")
            total = scoring.sum()
            if total.doubled or total.unknown:
                spell.trouble += f" {total}"
            time.sleep(2)
    return course


def _close(scoring: Scoring, load: Load) -> None:
    """End every partition of both topics, as a producer does at its end."""
    nothing: Dataset = load.dataset.part(len(load) - 1)
    producer = Producer(scoring.bootstrap, close=True)
    with producer._client() as client:
        partitions = {topic: client.partitions_for(topic) for topic in ("transactions", "truths")}
        producer._send_close(client, nothing, partitions)
        client.flush()


def _undisturbed(local: Local, before: Scoring, sent: int, say: Callable[[str], None]) -> Answers:
    """Send nothing: the topics the job reads are as they were; those it wrote are emptied."""
    scoring = Scoring.__new__(Scoring)
    scoring.__dict__.update(before.__dict__)
    before.empty_topics(keep=("transactions", "truths"))
    scoring._accounting = Accounting.of_broker(before.bootstrap)
    started = time.monotonic()
    scoring.submit()
    total = scoring.wait_for_sum(sent, 900)
    answers = Answers.read(scoring)
    say(f"the undisturbed run took {time.monotonic() - started:.0f} s: {total}")
    scoring.stop()
    assert _whole(total), str(total)
    return answers


def _whole(total: TransactionSum) -> bool:
    """Every transaction has one answer; when a challenger came and went is not judged while the job restarts."""
    return not (total.missing or total.doubled or total.unknown)


def _rows(course: list[Spell], answers: Answers, undisturbed: Answers) -> list[Row]:
    rows: dict[str, Row] = {}
    for spell in course:
        row = rows.setdefault(spell.name, Row(spell.name))
        if spell.impossible:
            row.passed, row.result = None, spell.trouble
            continue
        row.times += 1
        names = {name for name, at in undisturbed.times.items() if spell.start_ms <= at <= spell.end_ms}
        difference = answers.differ(undisturbed, names)
        row.transactions += len(names)
        if spell.recovery_s is not None:
            row.recovery_s.append(spell.recovery_s)
        if spell.trouble or not difference.none:
            row.passed, row.result = False, f"{row.result} {spell.trouble} {difference}".strip()
    for kind, fault in (
        ("hot", "one customer with a fifth of the traffic"),
        ("skewed", "clocks an hour off, both ways"),
    ):
        names = {name for name in undisturbed.inferences if answers.kinds.get(name) == kind}
        difference = answers.differ(undisturbed, names)
        rows[kind] = Row(fault, 1, [], len(names), "" if difference.none else str(difference), difference.none)
    for row in rows.values():
        row.result = row.result or "0 missing, 0 doubled, 0 differ"
    return [*rows.values(), *_compared(answers, undisturbed)]


def _compared(answers: Answers, undisturbed: Answers) -> list[Row]:
    """Return a row for each output as a whole."""
    whole = answers.differ(undisturbed, set(undisturbed.inferences) | set(answers.inferences))
    quality = count_differing(answers.quality, undisturbed.quality)
    alerts = count_differing(answers.alerts, undisturbed.alerts)
    again = answers.alert_records - len(answers.alerts)
    return [
        Row("inferences and features", 1, [], whole.compared, f"{whole.differing} differ", whole.none),
        Row(
            "final quality windows",
            1,
            [],
            0,
            f"{quality} of {len(undisturbed.quality)} differ",
            not quality and bool(undisturbed.quality),
        ),
        Row(
            "alerts",
            1,
            [],
            0,
            f"{alerts} of {len(undisturbed.alerts)} differ; {again} were sent again, with the same alert_id",
            not alerts and bool(undisturbed.alerts),
        ),
    ]
