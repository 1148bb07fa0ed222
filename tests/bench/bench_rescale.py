"""Rescaling by savepoint against a run that nobody interrupted: ``make bench ONLY=rescale``, about five minutes.

The same generated transactions and truths go twice through the job with order = event_time, where the same input gives the
same output: once on two TaskManagers to the end, once scaled from two to four and back in mid-stream. Every inference with
its features and every window's counts must be equal. On the way ``flink run`` is tried by hand as the README shows it.
"""

from __future__ import annotations

import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any

from connectors.local.task_managers import RESERVED
from jobs.submission import running_job, stop_job
from tests.bench.publish import publish
from tests.e2e.local import Local
from tests.e2e.models import stream, trained
from tests.e2e.scoring import Scoring, wait_for

ROWS, RATE, DAYS = 30_000, 150, 20
CLOSING = 4
Answers = tuple[dict[str, Any], dict[str, Any]]


def answers(scoring: Scoring) -> Answers:
    """Return what was said of each transaction, and what each window counted last."""
    said = {
        each["transaction_id"]: (each["score"], each["digest"], each["features"], each["late"])
        for each in scoring.messages("inferences")
    }
    assert len(said) == ROWS == len(scoring.records("inferences"))
    newest: dict[str, dict[str, Any]] = {}
    for row in scoring.messages("model_quality"):
        key = f"{row['version']}/{row['role']}/{row['series']}/{row['window_start_ms']}"
        if key not in newest or row["revision"] > newest[key]["revision"]:
            newest[key] = row
    counts = ("positives", "negatives", "scored", "labelled", "roc_auc", "final")
    return said, {key: [row[name] for name in counts] for key, row in newest.items()}


def run(local: Local, model: str, rate: float | None, targets: tuple[int, ...]) -> tuple[Scoring, Answers, list[float]]:
    """Run one story; scale the job to each of the targets while the producer goes on."""
    scoring = Scoring(local, model, order="event_time")
    scoring.deploy(trained(1), "1")
    scoring.submit()
    producer = threading.Thread(target=scoring.produce, args=(stream(ROWS, days=DAYS), rate), kwargs={"close": True})
    producer.start()
    pauses = []
    for step, target in enumerate(targets, start=1):
        wait_for("it is time", lambda step=step: scoring.sent() > step * ROWS // 8, 300)  # type: ignore[misc]
        done = local.weir_json("scale", str(target), timeout_s=500)
        scoring.job_id = done["job_id"]
        pauses.append(done["pause_s"])
        assert scoring.sent() < ROWS, "the stream ended before the job was scaled"
        assert len(scoring.flink.taskmanagers()) == target + RESERVED
    producer.join()
    total = scoring.wait_for_sum(ROWS + CLOSING, 300)
    assert total.holds, str(total)
    assert scoring.restarts() == 0
    return scoring, answers(scoring), pauses


def submit_by_hand(local: Local, savepoint: str) -> None:
    """Run the line that ``weir submit --dry-run`` prints in a shell."""
    line = local.weir("submit", "--savepoint", savepoint, "--dry-run", order="event_time").stdout
    subprocess.run(["sh", "-c", line], check=True, capture_output=True, timeout=200)
    assert running_job(local.stack)
    stop_job(local.stack)


def main() -> None:
    """Run both stories, compare them and publish the figures."""
    with tempfile.TemporaryDirectory(prefix="weir-rescale-") as folder:
        local = Local(Path(folder) / "home")
        local.weir_json("up", timeout_s=600)
        try:
            steady, expected, _ = run(local, "steady", None, ())
            submit_by_hand(local, stop_job(steady.stack))
            rescaled, got, pauses = run(local, "rescaled", RATE, (4, 2))
            memory = local.stack.memory_mb()
            rescaled.stop()
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
            "pause_2_to_4_s": pauses[0],
            "pause_4_to_2_s": pauses[1],
            "taskmanager_mb": max(mb for name, mb in memory.items() if name.startswith("taskmanager")),
        },
    )
    if differing or windows or len(expected[1]) != len(got[1]):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
