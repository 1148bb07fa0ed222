"""A feature set and a version on it, added while the job runs on the MiniCluster: taken up, full, scored with."""

from __future__ import annotations

import json

import pytest

from connectors.file_sinks import FileSinks
from connectors.file_sources import FileSources
from jobs.pipeline import build
from tests.integration.test_pipeline import (
    DAY,
    NOW,
    START,
    artifact,
    control,
    metadata_rows,
    stage_settings,
    transactions,
    without_labels,
)
from udfs.domain.feature_set import FEATURE_SETS, FeatureSet
from udfs.domain.window_feature import WindowFeature

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

ROWS, HALF = 1_200, 600
PAUSE_MS = 7 * DAY
"""Between the halves: event time passes the first one whole, and probes are sent, two hours apart."""
PROBES, PROBE_MS, MOST_PROBES = 64, 7_200_000, 20
WINDOWS = (
    WindowFeature("SPENT_8D", "customer", "sum", 8 * DAY, field="amount"),
    WindowFeature("BUSY", "terminal", "count", DAY),
)
MINE = FeatureSet("mine", 1, (*FEATURE_SETS["handbook"].features, "SPENT_8D", "BUSY"), (), WINDOWS)


def rows() -> list[dict]:
    made = transactions(ROWS, seed=6)
    return made[:HALF] + [{**each, "event_time_ms": each["event_time_ms"] + PAUSE_MS} for each in made[HALF:]]


def probes(number: int, time_ms: int) -> list[str]:
    """Transactions of customers and terminals in every shard that are nobody else's."""
    return [
        json.dumps(
            {"transaction_id": f"probe-{number}-{each}", "event_time_ms": time_ms, "customer_id": f"p{each}",
             "terminal_id": f"q{each}", "amount": 1.0}
        )
        for each in range(PROBES)
    ]  # fmt: skip


def row_of(features: FeatureSet) -> str:
    after = {"name": features.name, "version": features.version, "hash": features.hash}
    after["definition"] = json.dumps(features.definition())  # as Debezium writes jsonb
    return json.dumps({"op": "c", "source": {"table": "feature_definition"}, "after": after})


@pytest.fixture(scope="module")
def sinks(tmp_path_factory, minicluster):
    start_job, run_until = minicluster
    place = tmp_path_factory.mktemp("uptake")
    sources, sinks = FileSources(place / "in", watermark_delay_ms=DAY), FileSinks(place / "out")
    messages = without_labels(rows())
    rest = [*map(json.dumps, messages[HALF:]), control(START + 400 * DAY)]
    sources.write("weir.metadata", {0: metadata_rows((1, artifact(1), "champion"))}, NOW)
    # with these each shard remembers as far back as the stream goes
    first = [*probes(0, START), *map(json.dumps, messages[:HALF]), control(START + 7 * DAY)]
    sources.write("transactions", {0: first}, NOW)
    # Nothing but what is idle afterwards: event time is the transactions', else all they left would expire.
    sources.write("truths", {0: [control(START)]}, NOW)
    step = {"set": False, "probed": 0, "rest": False}

    def probe() -> None:
        step["probed"] += 1
        time_ms = START + 9 * DAY + step["probed"] * PROBE_MS
        # the closing record takes the watermark, a day behind it, past the probes
        sent = [*probes(step["probed"], time_ms), control(time_ms + PROBE_MS + DAY)]
        sources.write("transactions", {step["probed"]: sent}, NOW)

    def done() -> bool:
        inferences = sinks.read("inferences")
        said = sorted(each["event"] for each in sinks.read("model_events"))
        if not step["set"] and len(inferences) == HALF + PROBES:
            sources.write("weir.metadata", {1: [row_of(MINE), *metadata_rows((2, artifact(2, MINE), "champion"))]}, NOW)
            step["set"] = True
        elif not step["rest"] and said == ["activated", "activated", "feature_set_taken_up"]:
            # The gate has it; each shard of the stages has it when it has read its copy of the row.
            newest = [i for i in inferences if i["transaction_id"].startswith(f"probe-{step['probed']}-")]
            if step["probed"] and [i["version"] for i in newest] == ["2"] * PROBES:
                sources.write("transactions", {MOST_PROBES + 1: rest}, NOW)
                step["rest"] = True
            elif not step["probed"] or (len(newest) == PROBES and step["probed"] < MOST_PROBES):
                probe()
        return len(inferences) == ROWS + PROBES * (step["probed"] + 1) and step["rest"]

    client = start_job(lambda env: build(env, stage_settings("event_time", 1), sources, sinks, batch_ms=20))
    run_until(client, done, timeout_s=180)
    return sinks


def of_the_stream(sinks: FileSinks) -> list[dict]:
    return [each for each in sinks.read("inferences") if each["transaction_id"].startswith("t")]


def test_while_the_shards_read_the_row_the_predecessor_scores(sinks):
    probed = [each for each in sinks.read("inferences") if each["transaction_id"].startswith("probe")]
    assert {(each["version"], each["feature_set"]) for each in probed} <= {("1", "handbook@1"), ("2", "mine@1")}
    assert all(each["score"] is not None for each in probed)


def test_the_set_is_taken_up_at_a_stated_point(sinks):
    (event,) = (each for each in sinks.read("model_events") if each["event"] == "feature_set_taken_up")
    assert (event["feature_set"], event["digest"], event["version"]) == ("mine@1", MINE.hash, None)
    assert event["reason"] == "mine@1: row 0 of weir.metadata"


def test_each_transaction_is_scored_by_the_newest_version_whose_set_its_stages_knew(sinks):
    for inference in of_the_stream(sinks):
        early = int(inference["transaction_id"][1:]) < HALF
        assert (inference["version"], inference["feature_set"]) == (("1", "handbook@1") if early else ("2", "mine@1"))
        assert inference["score"] is not None
        assert not inference["warming_up"]


def test_the_new_windows_hold_what_came_before_the_set(sinks):
    by_id = {row["transaction_id"]: row for row in rows()}
    late = [i for i in of_the_stream(sinks) if i["version"] == "2"]
    assert len(late) == ROWS - HALF
    for inference in late:
        mine = by_id[inference["transaction_id"]]
        now = mine["event_time_ms"]
        before = [row for row in by_id.values() if row["event_time_ms"] <= now]
        spent = [
            r["amount"]
            for r in before
            if r["customer_id"] == mine["customer_id"] and r["event_time_ms"] > now - 8 * DAY
        ]
        busy = [r for r in before if r["terminal_id"] == mine["terminal_id"] and r["event_time_ms"] > now - DAY]
        assert inference["features"]["SPENT_8D"] == pytest.approx(sum(spent), abs=1e-9)
        assert inference["features"]["BUSY"] == len(busy)
