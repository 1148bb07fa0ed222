"""What a transaction costs in both window stages on Flink: raw JSON in, payloads out, state in the MiniCluster's heap."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import psutil
from pyflink.common import Configuration, Types
from pyflink.datastream import DataStream
from pyflink.table import StreamTableEnvironment

from connectors.file_sinks import FileSinks
from jobs.graph import keyed_by_first_field
from tests.integration.conftest import minicluster_environment
from udfs.domain.shards import Shards
from udfs.operators import ids
from udfs.operators.customer_stage import CustomerStage
from udfs.operators.descriptors import BATCH, DEAD_LETTERS, KEYED_PAYLOAD, TRUTHS
from udfs.operators.stage_settings import StageSettings
from udfs.operators.terminal_stage import TerminalStage

__all__ = ["WindowStages"]

DAY_MS = 86_400_000
SOURCE = """
CREATE TEMPORARY TABLE batches (
  k STRING,
  batch ROW<topic STRING, v ARRAY<STRING>, p ARRAY<INT>, o ARRAY<BIGINT>, append_ms ARRAY<BIGINT>>
) WITH ('connector' = 'filesystem', 'path' = 'file://{folder}', 'source.monitor-interval' = '100ms', 'format' = 'json')
"""
COUNTED = """
SELECT k, CAST((CHAR_LENGTH(v) - CHAR_LENGTH(REPLACE(v, '"ingestion_time_ms"', ''))) / 19 AS STRING) AS v FROM passed
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
        self._folder, self._sinks, self._files, self._transactions = folder, FileSinks(folder / "out"), 0, 0
        (folder / "in").mkdir(parents=True)
        env = minicluster_environment(parallelism=1, checkpoint_ms=5_000)
        on_disk = Configuration()  # what the JobManager keeps in memory may not be larger than 5 MB
        on_disk.set_string("execution.checkpointing.dir", f"file://{folder}/checkpoints")
        env.configure(on_disk)
        env.set_max_parallelism(1)
        tables = StreamTableEnvironment.create(env)
        tables.execute_sql(SOURCE.format(folder=folder / "in"))
        rows = tables.to_append_stream(
            tables.sql_query("SELECT k, batch FROM batches"), Types.ROW([Types.STRING(), BATCH])
        )
        customers = _stage(rows, BATCH, CustomerStage(SETTINGS), ids.CUSTOMER)
        terminals = _stage(customers, Types.STRING(), TerminalStage(SETTINGS), ids.TERMINAL)
        tables.create_temporary_view("passed", terminals)
        statements = tables.create_statement_set()
        statements.add_insert(self._sinks.create(tables, "counts"), tables.sql_query(COUNTED))
        for aside in (TRUTHS, DEAD_LETTERS):
            sink = self._sinks.create(tables, aside.tag_id.replace("-", "_"))
            statements.add_insert(sink, tables.from_data_stream(customers.get_side_output(aside)))
        statements.attach_as_datastream()
        self._client: Any = env.execute_async("window stages")._j_job_client
        self._result = self._client.getJobExecutionResult()

    def take(self, rounds: list[list[Any]], timeout_s: float = 1_800.0) -> None:
        """Send batches and wait until all their transactions have passed; each also has its truths apart."""
        lines = [line for events in rounds for line in _lines(events)]
        hidden = self._folder / "in" / f".{self._files}.json"
        hidden.write_bytes(b"\n".join(map(orjson.dumps, lines)) + b"\n")
        hidden.rename(hidden.with_name(f"{self._files}.json"))
        self._files += 1
        self._transactions += sum(each["kind"] == "transaction" for events in rounds for each in events)
        deadline = time.monotonic() + timeout_s
        while (passed := sum(self._sinks.read("counts"))) < self._transactions:
            assert time.monotonic() < deadline, f"{passed} of {self._transactions} have passed"
            if self._result.isDone():
                self._result.get()  # says why it failed
            time.sleep(1)

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
        if not self._result.isDone():
            self._client.cancel().get()


def _stage(rows: DataStream, value_type: Any, function: Any, uid: str) -> DataStream:
    keyed = keyed_by_first_field(rows, value_type)
    return keyed.process(function, KEYED_PAYLOAD).uid(uid).name(uid).disable_chaining()


def _lines(events: list[Any]) -> list[dict[str, Any]]:
    lines = []
    for topic, kind in (("truths", "truth"), ("transactions", "transaction")):
        mine = [each for each in events if each["kind"] == kind]
        if mine:
            values = [orjson.dumps({name: each[name] for name in FIELDS[topic]}).decode() for each in mine]
            offsets, times_ms = ([each[name] for each in mine] for name in ("offset", "ingestion_time_ms"))
            batch = {"topic": topic, "v": values, "p": [0] * len(mine), "o": offsets, "append_ms": times_ms}
            lines.append({"k": KEY, "batch": batch})
    return lines
