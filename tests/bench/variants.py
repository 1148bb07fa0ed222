"""The same backlog through the job in variants, and through Flink SQL alone: what each costs beside the others.

Each variant is a job of its own with champion, challenger, truth join and ROC AUC over topics in which the same
transactions and truths wait: events per second over the middle, CPU time of a transaction by stage, bytes in the topics,
size and duration of the last checkpoint. Flink SQL counts and averages seven days of each customer over the same topic,
JSON to JSON, all of it in the JVM: what the engine could do here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from connectors.data.dataset import Dataset
from connectors.kafka.producer import Producer
from connectors.kafka.reader import read_topic
from connectors.kafka.record import Record
from tests.bench.cpu_by_thread import CpuByThread
from tests.e2e.local import Local
from tests.e2e.models import stream, trained
from tests.e2e.scoring import Scoring

__all__ = ["variant_figures"]

ROWS = 60_000
SAMPLE = 2_000
OVER_WINDOW = Path(__file__).parent / "over_window.sql"


@dataclass(frozen=True, slots=True)
class Variant:
    """A way to run the job.

    Parameters
    ----------
    name
        Ends the names of its figures.
    settings
        In which it differs.
    keys
        Into how many customers and terminals each of the generator's is divided.
    """

    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    keys: int = 1


VARIANTS = (
    Variant("json"),
    Variant("avro", {"payload": "avro"}),
    Variant("one_taskmanager", {"parallelism": 1}),
    Variant("ten_times_keys", keys=10),
    Variant("two_shards", {"shards": 2}),
    Variant("rocksdb", {"state_backend": "rocksdb"}),
)


def variant_figures(local: Local) -> dict[str, float]:
    """Return the figures of all on a running stack without a job; the topics are emptied."""
    figures: dict[str, float] = {}
    for variant in VARIANTS:
        measured = _figures(local, variant)
        figures |= {f"{name}_{variant.name}": value for name, value in measured.items()}
        if variant.name == "json":
            figures["events_per_s_over_window"] = _over_window(local)
    return figures


def _figures(local: Local, variant: Variant) -> dict[str, float]:
    job = Scoring(local, model=f"bench-{variant.name}", **variant.settings)
    job.deploy(trained(1), "1")
    job.deploy(trained(2), "2", role="challenger")
    Producer(job.bootstrap, close=False, payload=job.settings.payload).run(_with_keys(stream(ROWS), variant.keys))
    used = CpuByThread(job.stack)
    job.submit()
    try:
        total = job.wait_for_sum(ROWS, timeout_s=300)
        cpu = used.seconds()
        assert total.holds, str(total)
        assert job.restarts() == 0
        checkpoint = job.flink.checkpoints(job.job_id)["latest"]["completed"]
    finally:
        job.stop()
    answers = job.records("inferences", committed=False)
    champion = [each for each in answers if orjson.loads(each.value or b"")["role"] == "champion"]
    return {
        "events_per_s": _rate(champion),
        **{f"cpu_us_{name}": seconds / ROWS * 1e6 for name, seconds in cpu.items()},
        **{
            f"bytes_{topic}": sum(map(len, job.raw_values(topic, SAMPLE))) / SAMPLE
            for topic in ("transactions", "inferences")
        },
        "state_mb": checkpoint["state_size"] / 1e6,
        "checkpoint_ms": float(checkpoint["end_to_end_duration"]),
    }


def _with_keys(dataset: Dataset, keys: int) -> Dataset:
    """Return the transactions with each customer and terminal divided into so many, by turns."""
    if keys == 1:
        return dataset
    columns = dataset.columns

    def divided(names: Any) -> Any:
        return np.array([f"{name}-{row % keys}" for row, name in enumerate(names.tolist())], dtype=object)

    return replace(
        dataset,
        columns=replace(columns, customer_id=divided(columns.customer_id), terminal_id=divided(columns.terminal_id)),
    )


def _over_window(local: Local) -> float:
    """Return the events per second of Flink SQL over the transactions that lie in the topic; it writes to ``features``."""
    kafka = local.stack.ports.addresses()["kafka"]
    script = local.home / "over_window.sql"
    script.write_text(OVER_WINDOW.read_text().replace("{{bootstrap}}", kafka))
    done = local.weir("sql", "-f", str(script), timeout_s=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return _rate(read_topic(kafka, "features", committed=False))


def _rate(records: Iterable[Record]) -> float:
    """Return the records a second between the first fifth and the last tenth."""
    times = np.sort(np.array([each.timestamp_ms for each in records], dtype=np.int64))
    first, last = times[len(times) // 5], times[-len(times) // 10]
    return float(((times >= first) & (times < last)).sum() / ((last - first) / 1_000))
