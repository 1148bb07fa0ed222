"""The whole graph on the MiniCluster, out-of-order input, at parallelism 1, 2 and 4, against a brute-force pass."""

from __future__ import annotations

import base64
import json
import random
from collections import Counter
from dataclasses import dataclass

import pytest
from river import anomaly, compose, preprocessing
from sklearn.metrics import roc_auc_score

from connectors.file_sinks import FileSinks
from connectors.file_sources import FileSources
from jobs.pipeline import build
from model_store.artifact import digest
from model_store.export import export_artifact
from model_store.rebuild import rebuild
from udfs.domain.feature_set import FEATURE_SETS, FeatureSet
from udfs.operators.stage_settings import StageSettings

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

DAY = 86_400_000
START = 1_522_540_800_000
NOW = 1_795_000_000_000
TERMINAL_DELAY = 7 * DAY


def artifact(seed: int, features: FeatureSet = FEATURE_SETS["handbook"]) -> bytes:
    names = features.features
    model = compose.Pipeline(
        preprocessing.MinMaxScaler(), anomaly.HalfSpaceTrees(n_trees=5, height=5, window_size=50, seed=seed)
    )
    numbers = random.Random(seed)
    for _ in range(200):
        vector = {name: numbers.random() * 50 for name in names}
        model.learn_one(vector)
    return export_artifact(model, features, seed=seed)


def metadata_rows(*versions: tuple[int, bytes, str]) -> list[str]:
    rows = []
    for seq, data, role in versions:
        part = {"digest": digest(data), "part": 0, "parts": 1, "bytes": base64.b64encode(data).decode()}
        rows.append({"op": "c", "source": {"table": "model_artifact"}, "after": part})
        activation = {
            "deployment_seq": seq, "model": "fraud", "role": role, "version": str(seq), "digest": digest(data),
            "threshold": 0.5, "effective_from_ms": 0, "retired": False,
        }  # fmt: skip
        rows.append({"op": "c", "source": {"table": "model_activation"}, "after": activation})
    return [json.dumps(row) for row in rows]


def transactions(count: int, seed: int) -> list[dict]:
    numbers = random.Random(seed)
    return [
        {
            "transaction_id": f"t{index}",
            "event_time_ms": START + index * 600_000 + numbers.randrange(600_000),
            "customer_id": f"c{numbers.randrange(20)}",
            "terminal_id": f"m{numbers.randrange(10)}",
            "amount": round(numbers.uniform(1, 300), 2),
            "label": int(numbers.random() < 0.2),
        }
        for index in range(count)
    ]


def brute_force_features(rows: list[dict], delay_ms: int) -> dict[str, dict[str, float]]:
    """The book's definitions, quadratic on purpose."""
    expected = {}
    for row in rows:
        now, features = row["event_time_ms"], {}
        for days in (1, 7, 30):
            mine = [
                r
                for r in rows
                if r["customer_id"] == row["customer_id"] and now - days * DAY < r["event_time_ms"] <= now
            ]
            features[f"CUSTOMER_ID_NB_TX_{days}DAY_WINDOW"] = len(mine)
            features[f"CUSTOMER_ID_AVG_AMOUNT_{days}DAY_WINDOW"] = sum(r["amount"] for r in mine) / len(mine)
            low, high = now - TERMINAL_DELAY - days * DAY, now - TERMINAL_DELAY
            there = [r for r in rows if r["terminal_id"] == row["terminal_id"] and low < r["event_time_ms"] <= high]
            known = [r for r in there if r["label"] and r["event_time_ms"] + delay_ms <= now]
            features[f"TERMINAL_ID_NB_TX_{days}DAY_WINDOW"] = len(there)
            features[f"TERMINAL_ID_RISK_{days}DAY_WINDOW"] = len(known) / len(there) if there else 0
        expected[row["transaction_id"]] = features
    return expected


def stage_settings(order: str, first_seq: int = 2) -> StageSettings:
    return StageSettings(
        build_id="source tree", model="fraud", feature_set="handbook", order=order, activation="arrival", shards=8,
        first_deployment_seq=first_seq, emit_features=True, parallelism=2, lateness_ms=DAY, event_time_batch_ms=3_600_000,
        quality_window_ms=DAY, quality_interval_ms=200, truth_retention_ms=20 * DAY,
    )  # fmt: skip


def truth_of(row: dict, delay_ms: int) -> dict:
    known = {name: row[name] for name in ("transaction_id", "label", "customer_id", "terminal_id", "event_time_ms")}
    return {**known, "revision": 0, "truth_time_ms": row["event_time_ms"] + delay_ms}


def control(time_ms: int) -> str:
    return json.dumps({"control": "close", "event_time_ms": time_ms})


def spread(rows: list[dict], key: str, seed: int, disorder: int) -> list[list[str]]:
    """Two partitions by key; neighbours trade places, so that a partition is out of order within a bound."""
    numbers = random.Random(seed)
    ordered = sorted(enumerate(rows), key=lambda pair: pair[0] + numbers.randrange(disorder))
    partitions: list[list[str]] = [[], []]
    for _, row in ordered:
        partitions[sum(row[key].encode()) % 2].append(json.dumps({k: v for k, v in row.items() if k != "partition"}))
    return partitions


def closed(parts: list[list[str]], time_ms: int, first: int = 0) -> dict[int, list[str]]:
    """The partitions by number, each ended by a closing record."""
    return {number: [*part, control(time_ms)] for number, part in enumerate(parts, start=first)}


def without_labels(rows: list[dict]) -> list[dict]:
    """The transactions as they are sent."""
    return [{name: value for name, value in row.items() if name != "label"} for row in rows]


@dataclass
class Run:
    """One run of the job: what went in, and what came out."""

    order: str
    rows: list[dict]
    delay_ms: int
    artifacts: dict[str, bytes]
    counts: dict[int, int]
    sinks: FileSinks
    bad: int = 4

    @property
    def by_id(self) -> dict[str, dict]:
        return {row["transaction_id"]: row for row in self.rows}

    @property
    def champions(self) -> list[dict]:
        return [i for i in self.sinks.read("inferences") if i["role"] == "champion"]

    def newest_quality(self) -> dict:
        rows = sorted(self.sinks.read("model_quality"), key=lambda row: row["revision"])
        rows = [row for row in rows if row["series"] == "event_time"]
        return {(row["role"], row["window_start_ms"], row["window_end_ms"]): row for row in rows}

    def settled(self) -> bool:
        newest = self.newest_quality()
        life = [row["labelled"] for (_, start, _), row in newest.items() if start == 0]
        return (
            len(self.sinks.read("inferences")) == 2 * len(self.rows)
            and len(self.sinks.read("dead_letters")) >= self.bad + 1
            and life == [len(self.rows)] * 2
            and all(row["final"] for (_, start, _), row in newest.items() if start > 0)
        )


@pytest.fixture(scope="module", params=["event_time 1", "event_time 2", "event_time 4", "arrival 2"])
def run(request, tmp_path_factory, minicluster):
    start_job, run_until = minicluster
    order, parallelism = request.param.split()
    place, rows, delay_ms = tmp_path_factory.mktemp(order), transactions(1500, seed=1), 7 * DAY - 3_600_000
    sources, sinks = FileSources(place / "in", watermark_delay_ms=DAY), FileSinks(place / "out")
    messages = without_labels(rows)
    future = json.dumps({**messages[0], "transaction_id": "x", "event_time_ms": NOW + 2 * DAY})
    parts = spread(messages, "customer_id", seed=2, disorder=40)
    parts[0] += ["", "not json", '{"transaction_id": 1}', future, parts[0][10]]
    sent = closed(parts, START + 400 * DAY)
    counts = {number: len(values) for number, values in sent.items()}
    sources.write("transactions", sent, NOW)
    truths = [truth_of(row, delay_ms) for row in rows]
    told = spread(truths, "customer_id", seed=3, disorder=40)
    sources.write("truths", closed(told, START + 400 * DAY), NOW)
    artifacts = {"1": artifact(1), "2": artifact(2)}
    metadata = metadata_rows((1, artifacts["1"], "champion"), (2, artifacts["2"], "shadow"))
    sources.write("weir.metadata", {0: metadata}, NOW)
    client = start_job(
        lambda env: build(env, stage_settings(order), sources, sinks, batch_ms=20), parallelism=int(parallelism)
    )
    done = Run(order, rows, delay_ms, artifacts, counts, sinks)
    run_until(client, done.settled)
    return done


def test_every_transaction_is_scored_once_by_each_role(run):
    for role in ("champion", "shadow"):
        scored = Counter(i["transaction_id"] for i in run.sinks.read("inferences") if i["role"] == role)
        assert scored == Counter(run.by_id.keys())
    assert {event["event"] for event in run.sinks.read("model_events")} == {"activated"}


def test_every_offset_is_an_inference_a_dead_letter_or_a_closing_record(run):
    dead = run.sinks.read("dead_letters")
    assert Counter(d["reason"] for d in dead) == Counter(
        ["empty", "not_json", "missing_field", "future_time", "duplicate"]
    )
    scored = {(i["source_partition"], i["source_offset"]) for i in run.champions}
    refused = {(d["partition"], d["offset"]) for d in dead}
    closed = {(number, count - 1) for number, count in run.counts.items()}
    everything = {(number, offset) for number, count in run.counts.items() for offset in range(count)}
    assert scored | refused | closed == everything
    assert len(scored) + len(refused) + len(closed) == len(everything)


def test_every_score_is_made_again_by_river_from_the_artifact_it_names(run):
    models = {version: rebuild(data) for version, data in run.artifacts.items()}
    for inference in run.sinks.read("inferences"):
        assert inference["digest"] == digest(run.artifacts[inference["version"]])
        assert inference["score"] == models[inference["version"]].score_one(inference["features"])


def test_features_in_event_order_equal_the_books_definitions(run):
    if run.order == "arrival":
        assert {len(i["features"]) for i in run.champions} == {15}
        return
    expected = brute_force_features(run.rows, run.delay_ms)
    for inference in run.champions:
        for name, value in expected[inference["transaction_id"]].items():
            assert inference["features"][name] == pytest.approx(value, abs=1e-9), (name, inference)
    assert len(run.sinks.read("features")) == len(run.rows)


def test_quality_rows_equal_a_brute_force_pass_over_inferences_and_truths(run):
    quality, inferences = run.newest_quality(), run.sinks.read("inferences")
    assert len(quality) == 2 * 12
    for (role, start, end), row in quality.items():
        inside = [i for i in inferences if i["role"] == role and start <= i["event_time_ms"] < end]
        labels = [run.by_id[i["transaction_id"]]["label"] for i in inside]
        assert (row["scored"], row["labelled"], row["positives"]) == (len(inside), len(inside), sum(labels))
        assert 0 < sum(labels) < len(labels)
        assert row["roc_auc"] == pytest.approx(roc_auc_score(labels, [i["score"] for i in inside]), abs=1e-12)
        assert row["error_bound"] == 0


@pytest.mark.timeout(120)
def test_without_a_champion_a_transaction_is_answered_with_a_null_score(tmp_path, minicluster):
    start_job, run_until = minicluster
    sources, sinks = FileSources(tmp_path / "in", watermark_delay_ms=DAY), FileSinks(tmp_path / "out")
    rows = without_labels(transactions(20, seed=4))
    sources.write("transactions", {0: [json.dumps(row) for row in rows]}, NOW)
    client = start_job(lambda env: build(env, stage_settings("arrival", 0), sources, sinks, batch_ms=20))
    run_until(client, lambda: len(sinks.read("inferences")) == len(rows))
    assert {(i["score"], i["reason"], i["version"]) for i in sinks.read("inferences")} == {(None, "no_champion", None)}
