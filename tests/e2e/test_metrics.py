"""How the job keeps up, as ``weir status`` tells it and as Prometheus would read it."""

from __future__ import annotations

import json
import re

import pytest
import requests

from tests.e2e.local import ROOT
from tests.e2e.models import stream, trained
from tests.e2e.scoring import wait_for

ROWS, MALFORMED = 1_200, 3
MONITORING = ROOT / "docker" / "monitoring"
SAMPLE = re.compile(r"^(flink_\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def job(scoring):
    """A job that has scored a few transactions and refused some records."""
    scoring.deploy(trained(1), "1")
    scoring.deploy(trained(2), "2", role="challenger")
    scoring.submit()
    scoring.wait_for_event("activated", "2")
    scoring.produce(stream(ROWS), 300)
    scoring.send([(b"c", b"{")] * MALFORMED)
    scoring.wait_for_sum(ROWS + MALFORMED)
    return scoring


@pytest.fixture(scope="module")
def figures(job):
    # Flink's REST interface asks TaskManagers for metrics every ten seconds.
    def counted():
        found = job.local.weir_json("status", "--no-sums", model=job.model)["job"]
        seen.append(found)
        whole = sum(each["inferences"] for each in found["versions"]) == 2 * ROWS
        return found if whole and found["watermark_lag_ms"] is not None else None

    seen = []
    try:
        return wait_for("all inferences are counted and event time is known", counted, 90, pause_s=3)
    except AssertionError as error:
        raise AssertionError(f"{error}: {seen[-1]}") from None


@pytest.fixture(scope="module")
def offered(job):
    """Return samples (name, labels, value) of every process of Flink."""
    low, high = map(int, job.stack.ports.metrics.split("-"))
    samples = []
    with requests.Session() as session:
        session.trust_env = False
        for port in range(low, high + 1):
            try:
                text = session.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
            except requests.ConnectionError:
                continue
            samples += SAMPLE.findall(text)
    return samples


def test_the_counts_are_those_of_the_topics(figures):
    versions = {(each["version"], each["role"]): each for each in figures["versions"]}
    assert set(versions) == {("1", "champion"), ("2", "challenger")}
    for each in versions.values():
        assert (each["inferences"], each["late"], each["null_scores"]) == (ROWS, 0, 0)
    assert sum(figures["dead_letters"].values()) == MALFORMED
    assert figures["consumer_lag"] == {"transactions": 0, "truths": 0}


def test_latency_is_from_the_event_and_backlog_from_the_append(figures):
    assert figures["prediction_latency_ms"]["p50"] > 86_400_000, "the generated days are long ago"
    assert 0 < figures["platform_backlog_ms"]["p50"] <= figures["platform_backlog_ms"]["p99"] < 60_000
    assert figures["watermark_lag_ms"] > 86_400_000
    assert set(figures["busy"]) == {"customer-windows", "terminal-windows", "score", "truth-join", "model-quality"}


@pytest.mark.parametrize("file", ["alerts.yaml", "grafana-board.json"])
def test_each_metric_of_the_board_and_the_alerts_is_offered_to_prometheus(offered, file):
    asked = set(re.findall(r"flink_\w+", (MONITORING / file).read_text()))
    assert asked
    assert asked <= {name for name, _, _ in offered}


def test_labels_that_are_asked_for_are_there(offered):
    labels = {name: text for name, text, _ in offered}
    prefix = "flink_taskmanager_job_task_operator_"
    assert 'role="' in labels[f"{prefix}model_version_role_inferences"]
    assert 'reason="' in labels[f"{prefix}reason_dead_letters"]
    assert any('quantile="0.99"' in text for name, text, _ in offered if name == f"{prefix}platform_backlog_ms")
    sources = {text for name, text, _ in offered if name == f"{prefix}pendingRecords"}
    assert any(re.search(r'operator_name="Source:_\w+_database_transactions"', text) for text in sources), sources
    watermarks = [text for name, text, _ in offered if name == f"{prefix}currentInputWatermark"]
    assert any('operator_name="customer_windows"' in text for text in watermarks)


def test_a_person_reads_the_same(job):
    said = job.local.weir("status", "--no-sums", model=job.model).stdout
    assert f"{job.model} 1 champion: {ROWS} inferences, 0 late, 0 null" in said
    assert "waiting in Kafka: 0 transactions, 0 truths" in said


def test_the_board_is_whole():
    board = json.loads((MONITORING / "grafana-board.json").read_text())
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"]) == 8
    assert all(target["expr"] for panel in board["panels"] for target in panel["targets"])
