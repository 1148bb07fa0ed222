"""The whole job, Kafka to Kafka, beside bare River in one run: ``make bench ONLY=job``.

First River alone on one core: score and learn, then score only, of ``MinMaxScaler | HalfSpaceTrees`` on the handbook's
features. Then the local stack in a folder of its own: a steady minute at 1,000 transactions a second with their truths, and
one at 2,000, after half a minute of warm-up each, for latency (append time of the inference minus append time of its
transaction; ``committed``: until a consumer of committed records holds it) and for CPU time by stage; and a backlog for
throughput (append times of inferences over its last minute). The sums must hold at the end. Then variants of the job and
Flink SQL alone (:mod:`tests.bench.variants`).
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from river import anomaly, preprocessing

from connectors.data.dataset import Dataset, open_dataset
from connectors.data.generator import DEFAULT_START_MS
from connectors.kafka.producer import Producer
from jobs.demo.score_watch import ScoreWatch
from model_store.rebuild import rebuild
from tests.bench.cpu_by_thread import CpuByThread
from tests.bench.publish import publish
from tests.bench.variants import variant_figures
from tests.e2e.local import Local
from tests.e2e.models import HANDBOOK, trained
from tests.e2e.scoring import Scoring

STACK = {"optimizing_compiler": "true", "taskmanager_memory_mb": "1600", "state_backend": "rocksdb"}
"""Settings of ``weir up``: what runs for minutes pays C2 back, a full load wants heap, and one variant RocksDB's memory."""
TUNED = {"shards": 2, "checkpoint_interval_ms": 10_000}
"""A deployment that is not to grow beyond its two subtasks, and whose readers in a hurry do not wait for commits."""
RATES = {"": 1_000, "_at_2000": 2_000}
"""Transactions a second, by the end of the names of their figures."""
STEADY_S, WARM_UP_S = 90, 30
THRESHOLD = 0.98
"""An alert for a few transactions in a thousand, as a team could look at."""
BACKLOG = 400_000
VECTORS, ROUNDS = 3_000, 4
DAYS = 60


def river_rates() -> dict[str, float]:
    """Return bare River's events per second on one core."""
    rng = random.Random(7)
    xs = [{name: rng.random() * 50 for name in HANDBOOK.features} for _ in range(VECTORS)]
    model = preprocessing.MinMaxScaler() | anomaly.HalfSpaceTrees(n_trees=10, height=8, seed=42)
    for x in xs[:1_000]:
        model.learn_one(x)
    scorer = rebuild(trained(1))

    def score_and_learn() -> None:
        for x in xs:
            model.score_one(x)
            model.learn_one(x)

    def score() -> None:
        for x in xs:
            scorer.score_one(x)

    return {"river_score_learn_per_s": rate_of(score_and_learn), "river_score_per_s": rate_of(score)}


def rate_of(work: Callable[[], None]) -> float:
    """Return events per second of the quickest round: another process on the machine disturbs none for long."""
    seconds = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return VECTORS / min(seconds)


def steady(scoring: Scoring, index: int, ending: str, rate: int) -> dict[str, float]:
    """Return percentiles of latency at a steady rate, without the first seconds, and microseconds of CPU per transaction."""
    dataset = dataset_of(index, rate * STEADY_S)
    before, begun_ms = scoring.sent(), time.time_ns() // 1_000_000
    with ScoreWatch(scoring.bootstrap, partitions=1) as watch:
        time.sleep(1)
        seen = len(watch.committed_ms)
        used = CpuByThread(scoring.stack)
        Producer(scoring.bootstrap, rate=rate, close=False).run(dataset)
        cpu = used.seconds()
        scoring.wait_for_sum(before + len(dataset))
        time.sleep(3)
        committed = watch.committed_ms[seen:]
    said = champion_times(scoring, begun_ms)[rate * WARM_UP_S :, 1]
    committed = committed[len(committed) * WARM_UP_S // STEADY_S :]
    names = {"p50_ms": 50, "p99_ms": 99, "max_ms": 100}
    figures = {name: float(np.percentile(said, q)) for name, q in names.items()} | {
        f"committed_{name}": float(np.percentile(committed, q)) for name, q in names.items()
    }
    figures |= {f"cpu_us_{name}": seconds / len(dataset) * 1e6 for name, seconds in cpu.items()}
    return {f"{name}{ending}": value for name, value in figures.items()}


def dataset_of(index: int, rows: int) -> Dataset:
    """Return generated transactions behind those of the datasets before it in event time.

    What comes out of order by months is another kind of work.
    """
    return open_dataset(
        "generator", rows=rows, seed=51 + index, days=DAYS, start_ms=DEFAULT_START_MS + index * DAYS * 86_400_000
    )


def champion_times(scoring: Scoring, since_ms: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return append time, and that minus the append time of the transaction, of each champion inference, in order."""
    found = []
    for record in scoring.records("inferences", committed=False):
        inference = orjson.loads(record.value or b"")
        if inference["role"] == "champion" and inference["ingestion_time_ms"] >= since_ms:
            found.append((record.timestamp_ms, record.timestamp_ms - inference["ingestion_time_ms"]))
    return np.array(sorted(found), dtype=np.int64)


def backlog(scoring: Scoring) -> dict[str, float]:
    """Return events per second over the last minute of a backlog that waits when the job starts, but for its very end."""
    scoring.stop()
    before = scoring.sent()
    sent_ms = time.time_ns() // 1_000_000
    Producer(scoring.bootstrap, rate=None, close=False).run(dataset_of(len(RATES), BACKLOG))
    savepoints = sorted((scoring.stack.home / "flink" / "savepoints").iterdir(), key=lambda each: each.stat().st_mtime)
    scoring.submit(savepoint=savepoints[-1].as_uri())
    scoring.wait_for_sum(before + BACKLOG, timeout_s=600)
    times = champion_times(scoring, sent_ms)[:, 0]  # one per transaction; the challenger scores them all again
    last = times[-len(times) // 20]
    first = last - 60_000
    return {"events_per_s": float(((times >= first) & (times < last)).sum() / ((last - first) / 1_000))}


def main() -> None:
    """Measure and publish."""
    figures: dict[str, float | int | str] = dict(river_rates())
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as folder:
        local = Local(Path(folder) / "home")
        local.weir_json("up", timeout_s=600, **STACK)
        try:
            scoring = Scoring(local, model="bench", **TUNED)
            scoring.deploy(trained(1), "1", threshold=THRESHOLD)
            scoring.deploy(trained(2), "2", role="challenger")
            scoring.submit()
            for index, (ending, rate) in enumerate(RATES.items()):
                figures |= steady(scoring, index, ending, rate)
            figures |= backlog(scoring)
            figures["restarts"] = scoring.restarts()
            figures["memory_mb"] = round(sum(scoring.stack.memory_mb().values()))
            total = scoring.sum()
            figures["sum"] = str(total)
            scoring.stop()
            figures |= variant_figures(local)
        finally:
            local.stack.down(purge=True)
    figures["ratio"] = float(figures["events_per_s"]) / float(figures["river_score_learn_per_s"])
    publish("job", figures)
    assert total.holds, str(total)


if __name__ == "__main__":
    main()
