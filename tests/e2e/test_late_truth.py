"""Truth that comes first, twice, corrected, taken back, out of order or never, a TaskManager killed, then silence.

What ``model_quality`` says at the end equals one brute-force pass over the topics that shares no code with the job.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from connectors.kafka.producer import Producer
from tests.e2e.late_truth import DAY_MS, LateTruth
from tests.e2e.models import stream, trained
from tests.e2e.scoring import Scoring, wait_for

ROWS, RATE, DAYS = 6_000, 400, 60
RETENTION_DAYS = 15
LIFE = (0, 4_102_444_800_000)
Key = tuple[str, str, int, int]


@dataclass
class Story:
    """What happened before the tests look at it."""

    job: Scoring
    sent: LateTruth
    wanted: dict[Key, dict[str, Any]]
    got: dict[Key, dict[str, Any]]
    status: dict[str, Any]


@pytest.fixture(scope="module")
def story(local):
    scoring = Scoring(local, model="late-truth", truth_retention_ms=RETENTION_DAYS * DAY_MS)
    scoring.deploy(trained(1), "1")
    scoring.deploy(trained(2), "2", role="shadow")
    scoring.submit()
    sent = LateTruth(stream(ROWS, days=DAYS), seed=5)
    try:
        scoring.wait_for_event("activated", "2")
        producer = Producer(scoring.bootstrap, rate=RATE, close=False)
        thread = threading.Thread(target=producer.run, args=(sent,))
        thread.start()
        wait_for("a third is sent and saved", lambda: scoring.sent() > ROWS / 3 and scoring.completed_checkpoints() > 1)
        scoring.kill(scoring.workers()[-1])
        thread.join(120)
        wait_for("a restore", lambda: scoring.flink.checkpoints(scoring.job_id)["latest"]["restored"], 120)
        assert scoring.wait_for_sum(ROWS, 180).holds
        wanted = brute_force(scoring.messages("inferences"), scoring.messages("truths"))
        wait_for("every truth is counted", lambda: differing(wanted, newest(scoring)) == {}, 180, pause_s=2)
        # The free TaskManager took the dead one's place: the job may be done before the successor is there.
        wait_for("the stack is whole", lambda: local.stack.status().state == "ready", 180)
        status = local.weir_json("status", model=scoring.model)
        yield Story(scoring, sent, wanted, newest(scoring), status)
    finally:
        scoring.stop()


def brute_force(inferences: list[dict[str, Any]], truths: list[dict[str, Any]]) -> dict[Key, dict[str, Any]]:
    """Return scores and labels of every window, from all that was sent."""
    told: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for truth in truths:
        if truth not in told[truth["transaction_id"]]:
            told[truth["transaction_id"]].append(truth)
    rows: dict[Key, dict[str, Any]] = defaultdict(lambda: {"scored": 0, "pairs": []})

    def add(role: str, series: str, time_ms: int, score: float, truth: dict[str, Any] | None) -> None:
        day = time_ms // DAY_MS * DAY_MS
        for window in ((day, day + DAY_MS), LIFE):
            row = rows[role, series, *window]
            row["scored"] += 1
            if truth is not None:
                row["pairs"].append((truth["label"], score))

    for said in inferences:
        mine = told[said["transaction_id"]]
        last = max(mine, key=lambda truth: truth["revision"], default=None)
        add(said["role"], "event_time", said["event_time_ms"], said["score"], last)
        for truth in mine:
            add(said["role"], "truth_time", truth["truth_time_ms"], said["score"], truth)
    return rows


def newest(scoring: Scoring) -> dict[Key, dict[str, Any]]:
    """Return the row with the highest revision of each window; no revision may come twice."""
    rows = scoring.messages("model_quality")
    names = ("role", "series", "window_start_ms", "window_end_ms")
    revisions = Counter((*(row[name] for name in names), row["revision"]) for row in rows)
    assert set(revisions.values()) <= {1}
    return {tuple(row[name] for name in names): row for row in sorted(rows, key=lambda row: row["revision"])}


def differing(wanted: dict[Key, dict[str, Any]], got: dict[Key, dict[str, Any]]) -> dict[Key, Any]:
    """Return the windows whose counts are not those of the topics."""
    found = {}
    for key in wanted.keys() | got.keys():
        row, pairs = got.get(key), wanted.get(key, {"pairs": []})["pairs"]
        positives = sum(label for label, _ in pairs)
        counts = (wanted.get(key, {"scored": 0})["scored"], positives, len(pairs) - positives)
        said = (row["scored"], row["positives"], row["negatives"]) if row else None
        if said != counts:
            found[key] = (counts, said)
    return found


def test_the_input_was_as_bad_as_it_should_be(story):
    shares = {name: count / ROWS for name, count in story.sent.shares.items()}
    told = 1 - shares["never"]
    assert shares["never"] == pytest.approx(0.3, abs=0.02)
    assert shares["first"] / told == pytest.approx(0.1, abs=0.02)
    assert shares["twice"] / told == pytest.approx(0.1, abs=0.02)
    assert shares["corrected"] / told == pytest.approx(0.05, abs=0.01)
    assert shares["reversed"] / told == pytest.approx(0.01, abs=0.005)
    assert shares["moved"] / (len(story.job.messages("truths")) / ROWS + 1) == pytest.approx(0.2, abs=0.02)
    assert story.job.restarts() >= 1


def test_every_window_of_both_series_counts_what_brute_force_counts(story):
    assert differing(story.wanted, story.got) == {}
    assert len(story.wanted) > 4 * DAYS


def test_roc_auc_and_average_precision_of_every_window_equal_scikit_learns(story):
    judged = 0
    for key, row in story.wanted.items():
        labels, scores = zip(*row["pairs"], strict=True) if row["pairs"] else ((), ())
        got = story.got[key]
        if len(set(labels)) < 2:
            assert got["roc_auc"] is None
            assert got["reason"]
            continue
        judged += 1
        assert got["roc_auc"] == pytest.approx(roc_auc_score(labels, scores), abs=1e-12 + got["error_bound"])
        assert got["average_precision"] == pytest.approx(
            average_precision_score(labels, scores), abs=1e-9 + got["average_precision_error"]
        )
    assert judged > DAYS


def test_status_tells_coverage_delay_and_what_was_set_aside(story):
    truth = story.status["truth"]
    versions = {each["role"]: each for each in truth["versions"]}
    for role in ("champion", "shadow"):
        life = story.wanted[role, "event_time", *LIFE]
        said = versions[role]
        assert (said["scored"], said["labelled"]) == (ROWS, len(life["pairs"]))
        assert said["unlabelled"] == ROWS - len(life["pairs"])
        assert said["coverage"] == pytest.approx(0.7, abs=0.02)
        assert 0.5 * DAY_MS < said["label_delay_p50_ms"] < DAY_MS < said["label_delay_p90_ms"] < 4 * DAY_MS
    assert truth["set_aside"]["superseded_truth"] > 0
