"""What tests ask of the tables: the positions that are in one, and those that should be."""

from __future__ import annotations

from collections import Counter
from typing import Any

from connectors.iceberg.next_offsets import next_offsets
from connectors.iceberg.warehouse import TABLES
from connectors.local.flink_rest import FlinkRest
from tests.e2e.scoring import Scoring

Positions = Counter[tuple[int, int]]


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
