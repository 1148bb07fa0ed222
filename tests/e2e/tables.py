"""What tests ask of the tables: the positions that are in one, and those that should be."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

from kafka import KafkaProducer

from connectors.iceberg.next_offsets import next_offsets
from connectors.iceberg.warehouse import TABLES
from connectors.kafka.topics import TOPICS
from connectors.local.flink_rest import FlinkRest
from tests.e2e.scoring import Scoring

Positions = Counter[tuple[int, int]]
REFUSED_REVISION = 9


def committed(job: Scoring, topic: str) -> Positions:
    """Return the positions of a topic's committed records that belong in its table."""
    return Counter(
        (record.partition, record.offset)
        for record in job.records(topic)
        if topic not in ("transactions", "truths") or b'"transaction_id"' in (record.value or b"")
    )


def rows_of(catalog: Any, table: str, *columns: str) -> list[dict[str, Any]]:
    scan = catalog.load_table(("weir", table)).scan(selected_fields=columns or ("*",))
    return scan.to_arrow().to_pylist()


def in_table(catalog: Any, table: str) -> Positions:
    """Return the positions that a table has; one that it has twice counts twice."""
    rows = rows_of(catalog, table, "topic_partition", "topic_offset")
    return Counter((row["topic_partition"], row["topic_offset"]) for row in rows)


def caught_up(job: Scoring, catalog: Any) -> bool:
    """Tell whether each table has the last committed record of each partition of its topic."""
    return all(next_offsets(catalog, table) == _ends(committed(job, table)) for table in TABLES)


def both_run(flink: FlinkRest) -> bool:
    """Tell whether the scoring job and the tables job run, and every one of their tasks."""
    jobs = [each["jid"] for each in flink.jobs() if each["state"] == "RUNNING"]
    return len(jobs) == 2 and all(flink.all_run(each) for each in jobs)


def _ends(positions: Positions) -> dict[int, int]:
    found: dict[int, int] = {}
    for partition, offset in positions:
        found[partition] = max(found.get(partition, 0), offset + 1)
    return dict(sorted(found.items()))


def refused_truths(dataset: Any) -> list[tuple[bytes, bytes]]:
    """Truths that the job refuses, of transactions that have others: in SQL they look like the newest."""
    good = list(itertools.islice(dataset.truths(), 4))
    wrong: list[dict[str, Any]] = [
        {"label": str(1 - good[0]["label"])},
        {"label": 1 - good[1]["label"], "customer_id": ""},
        {"label": 1 - good[2]["label"], "customer_id": None},
        {"label": 1 - good[3]["label"], "intervened": "true"},
    ]
    made = [truth | change | {"revision": REFUSED_REVISION} for truth, change in zip(good, wrong, strict=True)]
    return [(each["transaction_id"].encode(), json.dumps(each).encode()) for each in made]


def close(job: Scoring, event_time_ms: int) -> None:
    """Move event time past every window and the retention of truth."""
    value = json.dumps({"control": "close", "event_time_ms": event_time_ms}).encode()
    producer = KafkaProducer(bootstrap_servers=job.bootstrap)
    for topic in ("transactions", "truths"):
        for partition in range(TOPICS[topic].partitions):
            producer.send(topic, value=value, partition=partition)
    producer.close()


def final_windows(job: Scoring, rows: int) -> list[dict[str, Any]]:
    """Return the final rows of model_quality, once they count so many truths; one on its way has a row of its own."""
    newest: dict[int, dict[str, Any]] = {}
    for row in job.messages("model_quality"):
        if row["series"] == "event_time" and row["window"] == "tumbling":
            newest[row["window_start_ms"]] = max(
                row, newest.get(row["window_start_ms"], row), key=lambda r: r["revision"]
            )
    counted = sum(row["positives"] + row["negatives"] for row in newest.values())
    return list(newest.values()) if counted == rows and all(row["final"] for row in newest.values()) else []


def bad_question(folder: Path) -> Path:
    file = folder / "bad.sql"
    file.write_text("SELECT nothing FROM nowhere;\n")
    return file
