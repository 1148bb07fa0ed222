"""A job that goes on from savepoints with other parallelism and another backend says what an uninterrupted one says."""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass, replace
from pathlib import Path

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
    truth_of,
)

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

ROWS, HOUR = 900, 3_600_000
SETTINGS = replace(stage_settings("event_time"), truth_retention_ms=3 * DAY, lateness_ms=6 * HOUR)
# Both at once: four subtasks read a heap's state into RocksDB, two read it back.
STEPS = ((2, "hashmap"), (4, "rocksdb"), (2, "hashmap"))
MADE_OF_TIME = ("watermark_ms", "prediction_time_ms", "source_partition", "source_offset")


@dataclass(frozen=True)
class Place:
    """A job's input and output folders."""

    folder: Path

    @property
    def sources(self) -> FileSources:
        return FileSources(self.folder / "in", watermark_delay_ms=6 * HOUR)

    @property
    def sinks(self) -> FileSinks:
        return FileSinks(self.folder / "out")

    def write(self, first: int, last: int) -> None:
        """Write some of the parts of the input, as two partitions of each topic; the last part closes them."""
        if first == 0:
            self.sources.write("weir.metadata", {0: METADATA}, NOW)
        for topic in ("transactions", "truths"):
            messages = [message for part in parts()[first:last] for message in part[topic]]
            close = [control(START + 400 * DAY)] if last == len(STEPS) else []
            halves = {2 * first + half: [*map(json.dumps, messages[half::2]), *close] for half in (0, 1)}
            self.sources.write(topic, halves, NOW)

    def start(self, minicluster, parallelism: int, **environment):
        return minicluster[0](
            lambda env: build(env, SETTINGS, self.sources, self.sinks, batch_ms=20), parallelism, **environment
        )

    def answers(self) -> tuple[dict, dict]:
        """Return what was said of each transaction by each version, and the newest figures of each window."""
        said = {}
        for each in self.sinks.read("inferences"):
            key = each["transaction_id"], each["role"]
            assert key not in said
            said[key] = {name: value for name, value in each.items() if name not in MADE_OF_TIME}
        newest: dict = {}
        for row in sorted(self.sinks.read("model_quality"), key=lambda row: row["revision"]):
            key = row["version"], row["role"], row["series"], row["window_start_ms"]
            newest[key] = {name: value for name, value in row.items() if name != "revision"}
        return said, newest

    def settled(self) -> bool:
        said, windows = self.answers()
        life = [row["labelled"] for key, row in windows.items() if key[2:] == ("event_time", 0)]
        return (
            len(said) == 2 * ROWS
            and life == [ROWS] * 2
            and all(row["final"] for key, row in windows.items() if key[3] > 0)
        )


METADATA = metadata_rows((1, artifact(1), "champion"), (2, artifact(2), "shadow"))


def parts() -> list[dict[str, list[dict]]]:
    """Cut transactions, and truths a day after them, into parts of the time in which they come, somewhat out of order."""
    rows = transactions(ROWS, seed=9)
    found: list[dict[str, list[dict]]] = [{"transactions": [], "truths": []} for _ in STEPS]
    span = ROWS * 600_000 // len(STEPS) + 1

    def part_of(time_ms: int) -> int:
        return min((time_ms - START) // span, len(STEPS) - 1)

    for row in rows:
        message = {name: value for name, value in row.items() if name != "label"}
        found[part_of(row["event_time_ms"])]["transactions"].append(message)
        truth = truth_of(row, DAY)
        found[part_of(truth["truth_time_ms"])]["truths"].append(truth)
    numbers = random.Random(9)
    for part in found:
        for messages in part.values():
            messages.sort(key=lambda message: message["event_time_ms"] + numbers.randrange(3 * HOUR))
    return found


def wait_for(done, timeout_s: float = 90) -> None:
    deadline = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < deadline, "the job did not come so far in time"
        time.sleep(0.3)


def stop(client, folder: str) -> str:
    """Stop a job with a savepoint that any state backend reads; PyFlink's own method calls one that Flink 2 has not."""
    from pyflink.java_gateway import get_gateway

    canonical = get_gateway().jvm.org.apache.flink.core.execution.SavepointFormatType.CANONICAL
    return str(client._j_job_client.stopWithSavepoint(False, folder, canonical).get())


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, minicluster):
    place = Place(tmp_path_factory.mktemp("uninterrupted"))
    place.write(0, len(STEPS))
    minicluster[1](place.start(minicluster, 2), place.settled)
    return place.answers()


def test_two_subtasks_to_four_and_back_and_heap_to_rocksdb_and_back(tmp_path, minicluster, uninterrupted):
    place, savepoint, before = Place(tmp_path), None, 0
    for part, (parallelism, state_backend) in enumerate(STEPS):
        place.write(part, part + 1)
        client = place.start(minicluster, parallelism, state_backend=state_backend, savepoint=savepoint)
        if part == len(STEPS) - 1:
            minicluster[1](client, place.settled)
            break
        sent = sum(len(parts()[each]["transactions"]) for each in range(part + 1))
        # The newest hours wait in windows of the source for the watermark: they are in the savepoint.
        wait_for(lambda sent=sent: len(place.sinks.read("inferences")) > 2 * sent - 400)
        savepoint = stop(client, f"file://{tmp_path}/savepoints")
        said = len(place.sinks.read("inferences"))
        assert before < said < 2 * sent
        before = said
    assert place.answers() == uninterrupted
