"""The tables job beside the scoring job: tables = committed topics, and what SQL and Python read in them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from connectors.iceberg.read_labelled_rows import read_labelled_rows
from connectors.iceberg.training_snapshot import TrainingSnapshot
from connectors.iceberg.warehouse import TABLES
from jobs.settings import DAY_MS
from jobs.tables.access import catalog_of
from jobs.tables.fill_job import running_tables, start_tables, stop_tables
from tests.e2e.local import ROOT
from tests.e2e.models import stream, trained, without_truths
from tests.e2e.scoring import Scoring, wait_for
from tests.e2e.tables import (
    REFUSED_REVISION,
    bad_question,
    both_run,
    caught_up,
    close,
    committed,
    final_windows,
    in_table,
    refused_truths,
    rows_of,
)
from udfs.domain.feature_set import FEATURE_SETS

ROWS = 4_000
DAYS = 12
RETENTION_MS = 8 * DAY_MS
VIEWS = sorted(path.stem.partition("_")[2] for path in (ROOT / "sql/views").glob("*.sql"))
README = (ROOT / "docs/operate/tables.md").read_text(encoding="utf-8")
README_QUESTION = re.search(r'^echo "(SELECT .*;)" > question\.sql$', README, re.MULTILINE)[1]  # type: ignore[index]
README_ANSWER = [
    [cell.strip() for cell in line.strip("| ").split("|")]
    for line in ("|" + README.partition(README_QUESTION)[2].partition("```\n|")[2].partition("```\n")[0]).splitlines()
    if line.startswith("|")
]
COUNTS = "SELECT COUNT(*) AS n FROM kafka.topics.inferences;\n"


@dataclass
class Story:
    """What happened before the tests look at it."""

    job: Scoring
    catalog: Any
    final: list[dict[str, Any]]
    status: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: subprocess.CompletedProcess[str] | None = None

    def answer(self, view: str) -> list[dict[str, str | None]]:
        """Return what ``weir sql`` said to ``SELECT * FROM view``."""
        said = self.answers[view]
        return [dict(zip(said["columns"], row, strict=True)) for row in said["rows"]]


@pytest.fixture(scope="module")
def story(local, tmp_path_factory):
    """One champion, truths for all, one transaction that is none; the tables job is started by its verb, half way."""
    job = Scoring(local, "test_tables", truth_retention_ms=RETENTION_MS)
    job.deploy(trained(1), "1")
    job.submit()
    job.wait_for_event("activated", "1")
    dataset = stream(ROWS, days=DAYS)
    job.produce(dataset.part(0, ROWS // 2))
    fast = {"tables_checkpoint_interval_ms": "2000"}
    local.weir_json("submit", "--only", "tables", **fast)
    job.send([(b"k", b"not json"), (b"k", b'{"transaction_id": "x", "amount": "much"}')])
    job.produce(dataset.part(ROWS // 2))
    job.send(refused_truths(dataset), "truths")
    close(job, dataset.last_time_ms + RETENTION_MS + 2 * DAY_MS)
    job.wait_for_sum(ROWS + 2 + 4)
    final = wait_for("final windows", lambda: final_windows(job, ROWS), 90)
    story = Story(job, catalog_of(job.settings), final)
    try:
        wait_for("the tables have every committed record", lambda: caught_up(job, story.catalog), 120, pause_s=2)
        story.status = local.weir_json("status")
        file = tmp_path_factory.mktemp("sql") / "question.sql"
        file.write_text("".join(f"SELECT * FROM {name};\n" for name in VIEWS) + COUNTS + README_QUESTION)
        answers = local.weir_json("sql", "-f", str(file), timeout_s=600)["answers"]
        story.answers = dict(zip([*VIEWS, "counts", "README"], answers, strict=True))
        story.refused = local.weir("sql", "-f", str(bad_question(file.parent)))
        yield story
    finally:
        stop_tables(job.stack)
        job.stop()


def taken_truths(story: Story) -> dict[str, dict[str, Any]]:
    return {
        row["transaction_id"]: row for row in rows_of(story.catalog, "truths") if row["revision"] != REFUSED_REVISION
    }


@pytest.mark.parametrize("table", TABLES)
def test_the_table_has_each_committed_record_of_its_topic_once(story, table):
    expected = committed(story.job, table)
    assert in_table(story.catalog, table) == expected
    assert set(expected.values()) <= {1}


@pytest.mark.parametrize("table", ["inferences", "model_quality", "dead_letters"])
def test_a_row_says_what_its_record_says(story, table):
    records = {(each.partition, each.offset): json.loads(each.value) for each in story.job.records(table)}
    for row in rows_of(story.catalog, table):
        record = records[row["topic_partition"], row["topic_offset"]]
        row["features"] = dict(row.get("features") or {})
        for name, value in record.items():
            assert row[name] == value, name


def test_tables_are_partitioned_by_event_date(story):
    for table in TABLES:
        loaded = story.catalog.load_table(("weir", table))
        assert [field.name for field in loaded.spec().fields] == ["event_date"]
    for row in rows_of(story.catalog, "inferences"):
        assert row["event_date"] == datetime.fromtimestamp(row["event_time_ms"] / 1000, UTC).date()


def test_roc_auc_of_the_view_is_that_of_model_quality_within_its_bound_and_that_of_scikit_learn(story):
    truths = {name: row["label"] for name, row in taken_truths(story).items()}
    by_day: dict[str, list[tuple[int, float]]] = {}
    for row in rows_of(story.catalog, "inferences"):
        if row["score"] is not None and row["transaction_id"] in truths:
            by_day.setdefault(str(row["event_date"]), []).append((truths[row["transaction_id"]], row["score"]))
    view = {row["event_date"]: row for row in story.answer("roc_auc_by_day")}
    final = {str(datetime.fromtimestamp(row["window_start_ms"] / 1000, UTC).date()): row for row in story.final}
    assert set(view) == set(by_day) == set(final)
    compared = 0
    for day, pairs in by_day.items():
        labels, scores = zip(*pairs, strict=True)
        assert int(view[day]["positives"]) == final[day]["positives"] == sum(labels)
        assert int(view[day]["negatives"]) == final[day]["negatives"] == len(labels) - sum(labels)
        if view[day]["roc_auc"] is None:
            assert final[day]["roc_auc"] is None
            assert len(set(labels)) == 1
            continue
        compared += 1
        assert float(view[day]["roc_auc"]) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
        assert float(view[day]["roc_auc"]) == pytest.approx(
            final[day]["roc_auc"], abs=final[day]["error_bound"] + 1e-12
        )
    assert compared >= 3


def test_a_question_that_cannot_be_answered_ends_with_2_and_one_sentence(story):
    assert story.refused is not None
    assert story.refused.returncode == 2
    assert "nowhere" in story.refused.stdout + story.refused.stderr


def test_the_readmes_question_prints_what_the_readme_says(story):
    columns, *rows = README_ANSWER
    said = story.answers["README"]
    assert [name.strip() for name in said["columns"]] == columns
    assert len(said["rows"]) == len(rows)
    for line, expected in zip(sorted(said["rows"]), sorted(rows), strict=True):
        assert line[:-1] == expected[:-1]
        # What came out of order across partitions may have moved a feature.
        assert float(line[-1] or "nan") == pytest.approx(float(expected[-1]), abs=0.02, nan_ok=True)


def test_a_topic_can_be_asked_like_a_table(story):
    assert story.answer("counts") == [{"n": str(ROWS)}]


def test_card_precision_and_value_recall_are_what_python_makes_of_the_rows(story):
    truths = taken_truths(story)
    transactions = {row["transaction_id"]: row for row in rows_of(story.catalog, "transactions")}
    alerted = {row["transaction_id"] for row in rows_of(story.catalog, "alerts")}
    cards: dict[str, dict[str, tuple[float, int]]] = {}
    value: dict[str, list[float]] = {}
    for row in rows_of(story.catalog, "inferences"):
        truth, day = truths[row["transaction_id"]], str(row["event_date"])
        score, label = cards.setdefault(day, {}).get(truth["customer_id"], (0.0, 0))
        cards[day][truth["customer_id"]] = (max(score, row["score"]), max(label, truth["label"]))
        if truth["label"]:
            amount = transactions[row["transaction_id"]]["amount"]
            found = value.setdefault(day, [0.0, 0.0])
            found[0] += amount
            found[1] += amount * (row["transaction_id"] in alerted)
    for row in story.answer("card_precision_by_day"):
        top = sorted((-score, customer, label) for customer, (score, label) in cards[row["event_date"]].items())[:100]
        assert float(row["card_precision"]) == pytest.approx(sum(label for *_, label in top) / len(top))
    assert {row["event_date"] for row in story.answer("value_recall_by_day")} == set(value)
    for row in story.answer("value_recall_by_day"):
        whole, caught = value[row["event_date"]]
        assert float(row["value_recall"]) == pytest.approx(caught / whole)


def test_drift_of_the_training_day_itself_is_none_and_of_others_is_what_numpy_says(story):
    rows = rows_of(story.catalog, "inferences")
    first = min(row["event_date"] for row in rows)
    values: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        for name, value in row["features"]:
            values.setdefault((name, str(row["event_date"])), []).append(value)
    answer = story.answer("drift_by_day")
    assert {(row["name"], row["event_date"]) for row in answer} == set(values)
    for row in answer:
        training = np.array(values[row["name"], str(first)])
        edges = np.percentile(training, range(10, 100, 10))
        here = np.array(values[row["name"], row["event_date"]])
        share, expected = (
            np.maximum(np.bincount(np.searchsorted(edges, each, side="left"), minlength=10) / len(each), 1e-4)
            for each in (here, training)
        )
        assert float(row["psi"]) == pytest.approx(
            float(((share - expected) * np.log(share / expected)).sum()), abs=1e-9
        )
        if row["event_date"] == str(first):
            assert float(row["psi"]) == pytest.approx(0, abs=1e-12)


def test_a_truth_that_the_job_refused_is_in_its_table_and_counts_nowhere(story):
    rows = rows_of(story.catalog, "truths")
    refused = {row["transaction_id"]: row for row in rows if row["revision"] == REFUSED_REVISION}
    assert len(refused) == 4
    letters = {
        (each["partition"], each["offset"]) for each in story.job.messages("dead_letters") if each["topic"] == "truths"
    }
    assert {(row["topic_partition"], row["topic_offset"]) for row in refused.values()} <= letters
    newest = {row["transaction_id"]: row for row in story.answer("newest_truth")}
    assert len(newest) == ROWS
    told = taken_truths(story)
    assert {name: int(newest[name]["label"] or "-1") for name in refused} == {
        name: told[name]["label"] for name in refused
    }
    snapshot = TrainingSnapshot.newest(story.catalog)
    learned = read_labelled_rows(story.catalog, snapshot, "handbook@1", FEATURE_SETS["handbook"].features)
    assert len(learned.label) == ROWS
    assert {name: told[name]["label"] for name in learned.transaction_id.tolist()} == dict(
        zip(learned.transaction_id.tolist(), learned.label.tolist(), strict=True)
    )


def test_latencies_are_positive_and_ordered(story):
    (row,) = story.answer("latency_by_day")
    assert int(row["inferences"]) == ROWS
    assert 0 < float(row["ingestion_to_score_p50_ms"]) <= float(row["ingestion_to_score_p99_ms"])


def test_status_names_catalog_warehouse_and_the_tables_job(story):
    components = story.status["components"]
    assert components["warehouse"] == {"state": "ready", "address": "s3://warehouse"}
    assert components["iceberg_catalog"]["address"].startswith("postgresql://iceberg@127.0.0.1:")
    assert story.status["tables"]["state"] == "RUNNING"
    assert story.status["tables"]["commits"] >= 1
    assert story.status["memory_mb"] < 6_500


KILLS = 1


@pytest.fixture(scope="module")
def killed(story, local):
    """More transactions, and meanwhile TaskManagers die, and the tables job is cancelled and submitted again."""
    more = without_truths(stream(2_000, seed=7, first_id="k", days=DAYS))
    with story.job.producing(more, 20):
        for kill in range(KILLS):
            state = local.stack.status()
            managers = sorted(name for name in state.components if name.startswith("taskmanager-"))
            os.kill(state.components[managers[kill % len(managers)]].pid, signal.SIGKILL)
            time.sleep(3)
            wait_for("the stack is whole", lambda: local.stack.status().state == "ready", 180)
            wait_for("both jobs run", lambda: both_run(story.job.flink), 180)
        job_id = running_tables(local.stack)
        story.job.flink.cancel(job_id)
        wait_for("the tables job is gone", lambda: running_tables(local.stack) is None)
        again = start_tables(local.stack, local.settings(tables_checkpoint_interval_ms=2_000))
    assert again != job_id
    story.job.wait_for_sum(story.job.sent(), 180)
    wait_for("the tables have every committed record", lambda: caught_up(story.job, story.catalog), 180, pause_s=2)
    return story


@pytest.mark.parametrize("table", TABLES)
def test_after_kills_the_table_still_has_each_committed_record_once(killed, table):
    expected = committed(killed.job, table)
    assert in_table(killed.catalog, table) == expected
    if table == "inferences":
        assert expected.total() > ROWS
        print(f"{KILLS} TaskManagers and the tables job killed; {expected.total()} inferences, none lost, none twice")
