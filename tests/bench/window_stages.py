"""What a transaction costs in both window stages on Flink: raw JSON in, payloads out, state in the MiniCluster's heap."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import psutil

from jobs.graph import side_output
from tests.bench.fed_job import FedJob
from udfs.domain.shards import Shards
from udfs.operators import ids
from udfs.operators.customer_stage import CustomerStage
from udfs.operators.descriptors import BATCH, DEAD_LETTERS, KEYED_PAYLOAD, PAYLOAD, TRUTHS
from udfs.operators.stage_settings import StageSettings
from udfs.operators.terminal_stage import TerminalStage

__all__ = ["WindowStages"]

DAY_MS = 86_400_000
VALUE = "ROW<topic STRING, v ARRAY<STRING>, p ARRAY<INT>, o ARRAY<BIGINT>, append_ms ARRAY<BIGINT>>"
COUNTED = """
SELECT k, CAST(CAST((CHAR_LENGTH(t) - CHAR_LENGTH(REPLACE(t, '"ingestion_time_ms"', ''))) / 19 AS STRING) AS BYTES) AS v
FROM (SELECT k, CAST(v AS STRING) AS t FROM passed)
"""
SETTINGS = StageSettings(
    build_id="source tree", model="cards", feature_set="handbook", order="arrival", activation="arrival", shards=1,
    first_deployment_seq=0, emit_features=False, parallelism=1, lateness_ms=0, event_time_batch_ms=3_600_000,
    quality_window_ms=DAY_MS, quality_interval_ms=1_000, truth_retention_ms=120 * DAY_MS,
)  # fmt: skip
KEY = Shards(1).keys[0]
STAGES = {"customer-window": "customer", "terminal-window": "terminal"}
"""The first 15 characters of their threads' names, which is what Linux keeps."""
FIELDS = {
    "transactions": ("transaction_id", "event_time_ms", "customer_id", "terminal_id", "amount"),
    "truths": (
        "transaction_id", "event_time_ms", "customer_id", "terminal_id", "label", "truth_time_ms", "revision",
    ),
}  # fmt: skip


class WindowStages:
    """The customer stage and behind it the terminal stage, running; one shard, so a batch stays one.

    Parameters
    ----------
    folder
        Input, output and checkpoints.
    """

    def __init__(self, folder: Path) -> None:
        self._transactions = 0
        self._job = job = FedJob(folder, VALUE, shards=1, checkpoint_ms=5_000)
        customers = job.stage(job.rows(BATCH), BATCH, CustomerStage(SETTINGS), KEYED_PAYLOAD, ids.CUSTOMER)
        terminals = job.stage(customers, PAYLOAD, TerminalStage(SETTINGS), KEYED_PAYLOAD, ids.TERMINAL)
        job.tables.create_temporary_view("passed", terminals)
        asides = {"truths": TRUTHS, "dead_letters": DEAD_LETTERS}
        job.start(
            {"counts": job.tables.sql_query(COUNTED)}
            | {name: side_output(customers, tag) for name, tag in asides.items()}
        )

    def take(self, rounds: list[list[Any]], timeout_s: float = 1_800.0) -> None:
        """Send batches and wait until all their transactions have passed; each also has its truths apart."""
        self._job.feed(line for events in rounds for line in _lines(events))
        self._transactions += sum(each["kind"] == "transaction" for events in rounds for each in events)
        self._job.wait(lambda: sum(self._job.sinks.read("counts")), self._transactions, timeout_s)

    def cpu_s(self) -> dict[str, float]:
        """Return the processor time that the threads of the stages have used, seconds."""
        used: Counter[str] = Counter()
        for process in psutil.Process().children(recursive=True):
            for thread in process.threads():
                name = Path(f"/proc/{process.pid}/task/{thread.id}/comm").read_text().strip()
                used[STAGES.get(name, "")] += thread.user_time + thread.system_time
        return {stage: used[stage] for stage in STAGES.values()}

    def close(self) -> None:
        """End the job."""
        self._job.close()


def _lines(events: list[Any]) -> list[dict[str, Any]]:
    lines = []
    for topic, kind in (("truths", "truth"), ("transactions", "transaction")):
        mine = [each for each in events if each["kind"] == kind]
        if mine:
            values = [orjson.dumps({name: each[name] for name in FIELDS[topic]}).decode() for each in mine]
            offsets, times_ms = ([each[name] for each in mine] for name in ("offset", "ingestion_time_ms"))
            batch = {"topic": topic, "v": values, "p": [0] * len(mine), "o": offsets, "append_ms": times_ms}
            lines.append({"k": KEY, "v": batch})
    return lines
