"""JSON beside Avro, the whole job over the same backlog: ``make bench ONLY=payload``, about three minutes.

For each payload a job of its own with champion, challenger, truth join and ROC AUC is submitted to topics in which the same
transactions and truths wait: events per second over the middle, CPU time of a transaction by stage, bytes in the topics.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal

import numpy as np
import orjson
from kafka import KafkaConsumer, TopicPartition

from connectors.kafka.producer import Producer
from connectors.kafka.reader import end_offsets
from tests.bench.cpu_by_thread import CpuByThread
from tests.bench.publish import publish
from tests.e2e.local import Local
from tests.e2e.models import stream, trained
from tests.e2e.scoring import Scoring

ROWS = 60_000
SAMPLE = 2_000
PAYLOADS: tuple[Literal["json", "avro"], ...] = ("json", "avro")


def payload_figures(local: Local) -> dict[str, float]:
    """Return the figures of both payloads on a running stack without a job; the topics are emptied."""
    figures: dict[str, float] = {}
    for payload in PAYLOADS:
        job = Scoring(local, model=f"bench-{payload}", payload=payload)
        job.deploy(trained(1), "1")
        job.deploy(trained(2), "2", role="challenger")
        Producer(job.bootstrap, close=False, payload=payload).run(stream(ROWS))
        used = CpuByThread(job.stack)
        job.submit()
        try:
            total = job.wait_for_sum(ROWS, timeout_s=300)
            cpu = used.seconds()
            assert total.holds, str(total)
            assert job.restarts() == 0
        finally:
            job.stop()
        figures[f"events_per_s_{payload}"] = _rate(job)
        figures |= {f"cpu_us_{name}_{payload}": seconds / ROWS * 1e6 for name, seconds in cpu.items()}
        figures |= {f"bytes_{topic}_{payload}": _bytes(job, topic) for topic in ("transactions", "inferences")}
    return figures


def _rate(job: Scoring) -> float:
    """Return the champion's answers a second between the first fifth and the last tenth."""
    records = job.records("inferences", committed=False)
    champion = [each.timestamp_ms for each in records if orjson.loads(each.value or b"")["role"] == "champion"]
    times = np.sort(np.array(champion, dtype=np.int64))
    first, last = times[len(times) // 5], times[-len(times) // 10]
    return float(((times >= first) & (times < last)).sum() / ((last - first) / 1_000))


def _bytes(job: Scoring, topic: str) -> float:
    """Return the mean size of the first values of a topic, as they lie in Kafka."""
    consumer = KafkaConsumer(bootstrap_servers=job.bootstrap, isolation_level="read_committed", max_poll_records=SAMPLE)
    consumer.assign([TopicPartition(topic, each) for each in end_offsets(job.bootstrap, topic)])
    consumer.seek_to_beginning()
    sizes: list[int] = []
    while len(sizes) < SAMPLE:
        sizes += [len(record.value) for batch in consumer.poll(timeout_ms=1_000).values() for record in batch]
    consumer.close()
    return sum(sizes) / len(sizes)


def main() -> None:
    """Measure on a stack of its own and publish ``build/bench/payload.json``."""
    with tempfile.TemporaryDirectory(prefix="weir-payload-") as folder:
        local = Local(Path(folder) / "home")
        local.weir_json("up", timeout_s=600)
        try:
            figures = payload_figures(local)
        finally:
            local.stack.down(purge=True)
    publish("payload", figures)


if __name__ == "__main__":
    main()
