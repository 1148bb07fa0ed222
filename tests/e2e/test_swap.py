"""Versions come and go under load: by a row, never wrong about which bytes scored, never by a version not active."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sklearn.metrics import roc_auc_score

from jobs.transaction_sum import TransactionSum
from tests.e2e.local import ROOT
from tests.e2e.models import poisoned, stream, trained
from tests.e2e.scoring import Scoring, wait_for
from udfs.domain.shards import Shards

RATE = 1_000
PHASE = 2_500
"""Transactions before the swap, and after the last deployment."""
MOST_ROWS = 100_000
TRUTH_DELAY_MS = 3_600_000
MOST_MEMORY_MB = 6_500


@dataclass
class Story:
    """What happened before the tests look at it."""

    job: Scoring
    digests: dict[str, str]
    sum: TransactionSum
    inferences: list[dict[str, Any]]
    """In the order of each partition of the topic; ``at`` is that partition."""
    memory_mb: dict[str, float]

    def of(self, version: str) -> list[dict[str, Any]]:
        return [each for each in self.inferences if each["version"] == version]

    def quality(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Return the newest row of each version's whole-life window by event time, by version and role."""
        rows = [each for each in self.job.messages("model_quality") if each["window_start_ms"] == 0]
        newest = sorted((each for each in rows if each["series"] == "event_time"), key=lambda each: each["revision"])
        return {(each["version"], each["role"]): each for each in newest}


@pytest.fixture(scope="module")
def story(scoring):
    """Version 1, then 2 under load, a poisoned 3, and 4 as a challenger; the producer never waits."""
    artifacts = {str(seed): trained(seed) for seed in (1, 2, 3, 4)}
    digests = {"1": scoring.deploy(artifacts["1"], "1")}
    scoring.submit()
    scoring.wait_for_event("activated", "1")
    with scoring.producing(replace(stream(MOST_ROWS), truth_delay_ms=TRUTH_DELAY_MS), RATE):
        wait_for("a phase is sent", lambda: scoring.sent() > PHASE)
        digests["2"] = scoring.deploy(artifacts["2"], "2")
        scoring.wait_for_event("activated", "2")
        digests["3"] = scoring.deploy(poisoned(artifacts["3"]), "3")
        digests["4"] = scoring.deploy(artifacts["4"], "4", role="shadow")
        scoring.wait_for_event("rejected", "3")
        scoring.wait_for_event("activated", "4")
        memory_mb = scoring.stack.memory_mb()
        by_now = scoring.sent()
        wait_for("another phase is sent", lambda: scoring.sent() > by_now + PHASE)
    total = scoring.wait_for_sum(scoring.sent())
    inferences = [
        {**json.loads(record.value), "at": record.partition, "append_ms": record.timestamp_ms}
        for record in scoring.records("inferences")
    ]
    return Story(scoring, digests, total, inferences, memory_mb)


def test_the_sum_holds_for_the_champion_and_the_challenger(story):
    assert story.sum.holds, str(story.sum)
    assert (story.sum.inferences, story.sum.null_scores) == (story.sum.transactions, 0)
    assert [each.version for each in story.sum.challengers] == ["4"]
    assert story.job.restarts() == 0


def test_each_score_names_the_digest_of_its_version(story):
    assert {(each["version"], each["digest"]) for each in story.inferences} == {
        (version, story.digests[version]) for version in ("1", "2", "4")
    }
    assert {each["version"] for each in story.inferences if each["role"] == "champion"} == {"1", "2"}
    assert all(len(story.of(version)) >= PHASE / 2 for version in ("1", "2", "4"))


def test_a_poisoned_version_is_refused_with_its_reason_and_scores_nothing(story):
    (refused,) = story.job.model_events("rejected")
    assert (refused["version"], refused["digest"]) == ("3", story.digests["3"])
    assert refused["reason"].startswith("probes")
    assert story.of("3") == []
    assert [each["version"] for each in story.job.model_events("activated")] == ["1", "2", "4"]


def test_no_score_of_a_version_before_its_activation(story):
    for event in story.job.model_events("activated"):
        mine = story.of(event["version"])
        assert min(each["prediction_time_ms"] for each in mine) >= event["time_ms"]
        assert {each["deployment_seq"] for each in mine} == {event["deployment_seq"]}


def test_no_score_of_the_old_version_after_the_new_one_on_any_subtask(story):
    """Each subtask of the score stage writes its scores in the order in which it made them."""
    shards = Shards(story.job.settings.shards)
    subtask_of = partial(_subtask, shards, story.job.settings.parallelism)
    order: dict[tuple[int, int], list[dict[str, Any]]] = defaultdict(list)
    terminals = {each["transaction_id"]: each["terminal_id"] for each in story.job.messages("transactions")}
    for each in story.inferences:
        if each["role"] == "champion":
            order[subtask_of(terminals[each["transaction_id"]]), each["at"]].append(each)
    assert len(order) == story.job.settings.parallelism * 4
    for written in order.values():
        versions = [each["version"] for each in written]
        assert versions == ["1"] * versions.count("1") + ["2"] * versions.count("2")
        for before, after in itertools.pairwise(written):
            assert before["deployment_seq"] <= after["deployment_seq"]
            assert before["prediction_time_ms"] <= after["prediction_time_ms"]


def _subtask(shards: Shards, parallelism: int, entity: str) -> int:
    return shards.keys.index(shards.of(entity)) * parallelism // len(shards.keys)


def test_a_fresh_process_rebuilds_river_and_finds_every_score_equal_bit_for_bit(story):
    lines = "".join(json.dumps(each) + "\n" for each in story.inferences)
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("rescore.py")), story.job.dsn],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        input=lines,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["differing"] == []
    assert found["compared"] == {version: len(story.of(version)) for version in ("1", "2", "4")}
    assert not found["numba"]
    assert {"model_store.compiled_scorer", "model_store.kernels"}.isdisjoint(found["ours"])


def test_roc_auc_of_each_version_equals_scikit_learns_on_the_same_scores_and_truths(story):
    labels = {each["transaction_id"]: each["label"] for each in story.job.messages("truths")}
    known_of = {version: [each for each in story.of(version) if each["transaction_id"] in labels] for version in "124"}
    assert {version: len(known) > PHASE / 2 for version, known in known_of.items()} == dict.fromkeys("124", True)

    def labelled() -> bool:
        return {version: row["labelled"] for (version, _), row in story.quality().items()} == {
            version: len(known) for version, known in known_of.items()
        }

    wait_for("all truths are counted", labelled, timeout_s=30)
    assert set(story.quality()) == {("1", "champion"), ("2", "champion"), ("4", "shadow")}
    for (version, _), row in story.quality().items():
        mine = known_of[version]
        known = [labels[each["transaction_id"]] for each in mine]
        auc = roc_auc_score(known, [each["score"] for each in mine])
        assert row["positives"] == sum(known)
        assert row["roc_auc"] == pytest.approx(auc, abs=max(1e-9, row["error_bound"]))


def test_the_whole_stack_fits_under_load(story):
    assert {"postgres", "kafka", "connect", "s3", "mlflow", "jobmanager", "taskmanager-1"} <= set(story.memory_mb)
    assert sum(story.memory_mb.values()) < MOST_MEMORY_MB, story.memory_mb
