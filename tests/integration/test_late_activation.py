"""activation = event_time on the MiniCluster: what is effective behind the watermark is refused, ahead of it obeyed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.file_sinks import FileSinks
from connectors.file_sources import FileSources
from jobs.pipeline import build
from tests.integration.test_pipeline import (
    DAY,
    NOW,
    START,
    artifact,
    closed,
    control,
    metadata_rows,
    spread,
    stage_settings,
    transactions,
    without_labels,
)

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

ROWS = 400
HALF_MS = START + ROWS // 2 * 600_000
LATER_MS = START + 30 * DAY


def deployed(seq: int, effective_from_ms: int) -> list[str]:
    rows = metadata_rows((seq, artifact(seq), "champion"))
    return [rows[0], rows[1].replace('"effective_from_ms": 0', f'"effective_from_ms": {effective_from_ms}')]


@pytest.fixture(scope="module")
def sinks(tmp_path_factory, minicluster):
    start_job, run_until = minicluster
    place = tmp_path_factory.mktemp("late-activation")
    sources, sinks = FileSources(place / "in", watermark_delay_ms=DAY), FileSinks(place / "out")
    rows = transactions(ROWS, seed=4)
    later = [{**row, "transaction_id": f"later-{row['transaction_id']}"} for row in transactions(ROWS, seed=5)]
    for row in later:
        row["event_time_ms"] += LATER_MS - START
    parts = spread(without_labels(rows), "customer_id", seed=2, disorder=1)
    sources.write("transactions", closed(parts, START + 10 * DAY), NOW)
    sources.write("truths", {0: [control(START + 10 * DAY)]}, NOW)  # no further: silent files are idle here
    # Both in force at submission: from the beginning, and from the middle of the stream on.
    sources.write("weir.metadata", {0: [*deployed(1, 0), *deployed(2, HALF_MS)]}, NOW)
    settings = replace(stage_settings("event_time"), activation="event_time")
    sent: list[str] = []

    def done() -> bool:
        scored = len(sinks.read("inferences"))
        if not sent and scored >= ROWS:
            # The watermark stands 9 days after the beginning now.
            sources.write("weir.metadata", {1: [*deployed(3, START + 8 * DAY), *deployed(4, LATER_MS)]}, NOW)
            sent.append("versions")
        if sent == ["versions"] and len(sinks.read("model_events")) == 4:
            parts = spread(without_labels(later), "customer_id", seed=2, disorder=1)
            sources.write("transactions", closed(parts, LATER_MS + 10 * DAY, first=10), NOW)
            sent.append("transactions")
        return scored >= 2 * ROWS

    client = start_job(lambda env: build(env, settings, sources, sinks, batch_ms=20))
    run_until(client, done, timeout_s=180)
    return sinks


def test_an_activation_behind_the_watermark_is_refused_with_its_reason(sinks):
    events = {each["version"]: each for each in sinks.read("model_events")}
    assert {version: each["event"] for version, each in events.items()} == {
        "1": "activated", "2": "activated", "3": "rejected", "4": "activated",
    }  # fmt: skip
    assert events["3"]["reason"].startswith(f"effective_from_behind_watermark: effective_from_ms is {START + 8 * DAY}")


def test_each_event_is_scored_by_the_version_in_force_at_its_time(sinks):
    for inference in sinks.read("inferences"):
        time_ms = inference["event_time_ms"]
        assert inference["version"] == ("1" if time_ms < HALF_MS else "2" if time_ms < LATER_MS else "4")
