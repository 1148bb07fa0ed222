"""Savepoints against a run that nobody interrupted: ``make bench ONLY=rescale``, about six minutes.

The same generated transactions and truths go twice through the job with order = event_time, where the same input gives the
same output: once on two TaskManagers to the end; once, in mid-stream, stopped and submitted again on four TaskManagers with
state in RocksDB, scaled back to two, and upgraded back to state on the heap. Every inference with its features and every
window's counts must be equal. On the way ``flink run`` is tried by hand as docs/operate/operating.md shows it.
"""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from connectors.data.dataset import Dataset
from connectors.local.flink_rest import FlinkRest
from connectors.local.task_managers import RESERVED
from jobs.launch import wait_until_running
from jobs.submission import running_job, stop_job
from tests.bench.publish import publish
from tests.e2e.local import Local
from tests.e2e.models import stream, trained
from tests.e2e.scoring import Scoring, wait_for

ROWS, RATE, DAYS = 16_000, 40, 20
MORE = 400
"""Transactions between two steps."""
CLOSING = 4
EVENT_TIME = "event_time"
Answers = tuple[dict[str, Any], dict[str, Any]]


class Feed:
    """A dataset that is sent slowly until all steps are taken, and then as fast as it can be."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset, self.hurry = dataset, threading.Event()

    def __len__(self) -> int:
        return len(self._dataset)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dataset, name)

    def interleaved(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for topic, message in self._dataset.interleaved():
            if topic == "transactions":
                self.hurry.wait(1 / RATE)
            yield topic, message


def windows_of(scoring: Scoring) -> dict[str, list[Any]]:
    """Return what each window counted last; whether it is final stands at the end."""
    newest: dict[str, dict[str, Any]] = {}
    for row in scoring.messages("model_quality"):
        key = f"{row['version']}/{row['role']}/{row['series']}/{row['window_start_ms']}"
        if key not in newest or row["revision"] > newest[key]["revision"]:
            newest[key] = row
    counts = ("positives", "negatives", "scored", "labelled", "roc_auc", "final")
    return {key: [row[name] for name in counts] for key, row in newest.items()}


def all_final(windows: dict[str, list[Any]]) -> bool:
    """Say whether all windows are over but those that last as long as their version, which begin with 1970."""
    return all(counts[-1] for key, counts in windows.items() if not key.endswith("/0"))


def answers(scoring: Scoring) -> Answers:
    """Return what was said of each transaction, and what each window counted last."""
    said = {
        each["transaction_id"]: (each["score"], each["digest"], each["features"], each["late"])
        for each in scoring.messages("inferences")
    }
    assert len(said) == ROWS == len(scoring.records("inferences"))
    return said, windows_of(scoring)


def onto_four_and_rocksdb(scoring: Scoring) -> float:
    """Stop the job and submit it again with twice the parallelism and another state backend; return the pause."""
    local, settings = scoring.local, {"model": scoring.model, "order": EVENT_TIME}
    begun = time.monotonic()
    savepoint = local.weir_json("stop", "--only", "scoring", **settings)["savepoint"]
    arguments = ("submit", "--only", "scoring", "--savepoint", savepoint)
    done = local.weir_json(*arguments, **settings, parallelism="4", state_backend="rocksdb", timeout_s=500)
    scoring.job_id = done["job_id"]
    return time.monotonic() - begun


def onto_two(scoring: Scoring) -> float:
    """Scale the job and return the pause."""
    done = scoring.local.weir_json("scale", "2", timeout_s=500)
    scoring.job_id = done["job_id"]
    return float(done["pause_s"])


def onto_the_heap(scoring: Scoring) -> float:
    """Upgrade the job to another state backend and return the pause."""
    done = scoring.local.weir_json("upgrade", model=scoring.model, order=EVENT_TIME, timeout_s=500)
    scoring.job_id = done["job_id"]
    return float(done["pause_s"])


STEPS: dict[str, tuple[Callable[[Scoring], float], int, str]] = {
    "pause_2_heap_to_4_rocksdb_s": (onto_four_and_rocksdb, 4, "rocksdb"),
    "pause_4_to_2_rocksdb_s": (onto_two, 2, "rocksdb"),
    "pause_rocksdb_to_heap_s": (onto_the_heap, 2, "hashmap"),
}


def begin(local: Local, model: str, feed: Feed) -> tuple[Scoring, threading.Thread]:
    """Deploy, submit, and produce in a thread."""
    scoring = Scoring(local, model, order=EVENT_TIME)
    scoring.deploy(trained(1), "1")
    scoring.submit()
    producer = threading.Thread(target=scoring.produce, args=(feed,), kwargs={"close": True})
    producer.start()
    return scoring, producer


def finish(scoring: Scoring, producer: threading.Thread) -> Answers:
    """Wait for the end and return the answers."""
    producer.join()
    total = scoring.wait_for_sum(ROWS + CLOSING, 300)
    assert total.holds, str(total)
    assert scoring.restarts() == 0
    wait_for("every window is final", lambda: all_final(windows_of(scoring)), 120, 1.0)
    return answers(scoring)


def change(scoring: Scoring) -> dict[str, float]:
    """Take every step while the producer goes on; return the pauses."""
    pauses = {}
    for name, (step, parallelism, state_backend) in STEPS.items():
        by_now = scoring.sent()
        wait_for("some more are sent", lambda by_now=by_now: scoring.sent() > by_now + MORE, 300)  # type: ignore[misc]
        pauses[name] = step(scoring)
        assert scoring.sent() < ROWS, f"the stream ended before {name}"
        assert len(scoring.flink.taskmanagers()) >= parallelism + RESERVED
        assert len(scoring.workers()) == parallelism
        assert state_backend in str(scoring.flink.checkpointing(scoring.job_id)["state_backend"]).lower()
    return pauses


def submit_by_hand(local: Local, savepoint: str) -> None:
    """Run the line that ``weir submit --dry-run`` prints in a shell."""
    line = local.weir("submit", "--savepoint", savepoint, "--dry-run", order="event_time").stdout
    subprocess.run(["sh", "-c", line], check=True, capture_output=True, timeout=200)
    job_id = running_job(local.stack)
    assert job_id
    wait_until_running(FlinkRest(local.stack.ports.addresses()["flink"]), job_id, 180)
    stop_job(local.stack)


def main() -> None:
    """Run both stories, compare them and publish the figures."""
    with tempfile.TemporaryDirectory(prefix="weir-rescale-") as folder:
        local = Local(Path(folder) / "home")
        local.weir_json("up", timeout_s=600, state_backend="rocksdb")  # TaskManagers with memory for it
        try:
            feed = Feed(stream(ROWS, days=DAYS))
            feed.hurry.set()
            steady, producer = begin(local, "steady", feed)
            expected = finish(steady, producer)
            submit_by_hand(local, stop_job(steady.stack))
            feed = Feed(stream(ROWS, days=DAYS))
            changed, producer = begin(local, "changed", feed)
            try:
                pauses = change(changed)
            finally:
                feed.hurry.set()
            got = finish(changed, producer)
            memory = local.stack.memory_mb()
            changed.stop()
        finally:
            local.stack.down(purge=True)
    differing = sum(expected[0][key] != got[0].get(key) for key in expected[0])
    windows = sum(expected[1][key] != got[1].get(key) for key in expected[1])
    publish(
        "rescale",
        {
            "inferences_compared": len(expected[0]),
            "inferences_differing": differing,
            "quality_windows_compared": len(expected[1]),
            "quality_windows_differing": windows,
            **pauses,
            "taskmanager_mb": max(mb for name, mb in memory.items() if name.startswith("taskmanager")),
        },
    )
    if differing or windows or len(expected[1]) != len(got[1]):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
