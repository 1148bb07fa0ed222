"""What a transaction without truth takes of a real state backend: the truth join alone, on Flink's MiniCluster."""

from __future__ import annotations

import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import orjson
from pyflink.common import Configuration, Types
from pyflink.java_gateway import get_gateway
from pyflink.table import StreamTableEnvironment

from connectors.file_sinks import FileSinks
from jobs.graph import keyed_by_first_field
from tests.integration.conftest import minicluster_environment
from udfs.domain.payload import encode
from udfs.domain.quality_change import Outcome
from udfs.domain.shards import Shards
from udfs.operators.descriptors import DEAD_LETTERS, JOINED
from udfs.operators.stage_settings import StageSettings
from udfs.operators.truth_join_stage import TruthJoinStage

DAY_MS = 86_400_000
START_MS = 1_522_540_800_000
SHARDS, BATCH = 8, 20
SOURCE = """
CREATE TEMPORARY TABLE predictions (k STRING, v STRING) WITH (
  'connector' = 'filesystem', 'path' = 'file://{folder}', 'source.monitor-interval' = '100ms', 'format' = 'json'
)
"""
SETTINGS = StageSettings(
    build_id="source tree", model="cards", feature_set="handbook", order="arrival", activation="arrival", shards=SHARDS,
    first_deployment_seq=0, emit_features=False, parallelism=1, lateness_ms=DAY_MS, event_time_batch_ms=3_600_000,
    quality_window_ms=DAY_MS, quality_interval_ms=1_000, truth_retention_ms=120 * DAY_MS,
)  # fmt: skip


class OpenTransactions:
    """A running truth join in which predictions wait for their truths.

    Parameters
    ----------
    folder
        Input, output and savepoints.
    state_backend
        ``hashmap`` or ``rocksdb``.
    """

    def __init__(self, folder: Path, state_backend: str) -> None:
        self._folder, self._sinks, self._sent = folder, FileSinks(folder / "out"), 0
        (folder / "in").mkdir(parents=True)
        env = minicluster_environment(parallelism=1, checkpoint_ms=1_000, state_backend=state_backend)
        on_disk = Configuration()  # what the JobManager keeps in memory may not be larger than 5 MB
        on_disk.set_string("execution.checkpointing.dir", f"file://{folder}/checkpoints")
        env.configure(on_disk)
        env.set_max_parallelism(SHARDS)
        tables = StreamTableEnvironment.create(env)
        tables.execute_sql(SOURCE.format(folder=folder / "in"))
        payloads = tables.to_append_stream(
            tables.sql_query("SELECT k, v FROM predictions"), Types.ROW([Types.STRING(), Types.STRING()])
        )
        joined = keyed_by_first_field(payloads, Types.STRING()).process(TruthJoinStage(SETTINGS), JOINED)
        joined = joined.uid("truth-join").disable_chaining()
        statements = tables.create_statement_set()
        for topic, stream in (("changes", joined), ("dead_letters", joined.get_side_output(DEAD_LETTERS))):
            statements.add_insert(self._sinks.create(tables, topic), tables.from_data_stream(stream))
        statements.attach_as_datastream()
        self._client: Any = env.execute_async("open transactions")._j_job_client

    def add(self, count: int, timeout_s: float = 300.0) -> None:
        """Predict so many transactions more and wait until all are in state."""
        batches: dict[str, list[dict[str, Any]]] = defaultdict(list)
        lines, shards = [], Shards(SHARDS)
        for number in range(self._sent, self._sent + count):
            key = shards.of(str(number))
            batches[key].append(_prediction(number))
            if len(batches[key]) == BATCH:
                lines.append({"k": key, "v": encode(batches.pop(key))})
        lines += [{"k": key, "v": encode(batch)} for key, batch in batches.items()]
        hidden = self._folder / "in" / f".{self._sent}.json"
        hidden.write_bytes(b"\n".join(map(orjson.dumps, lines)) + b"\n")
        hidden.rename(hidden.with_name(f"{self._sent}.json"))
        self._sent += count
        deadline = time.monotonic() + timeout_s
        while self._scored() < self._sent:
            assert time.monotonic() < deadline, f"{self._scored()} of {self._sent} are in state"
            assert str(self._client.getJobStatus().get()) == "RUNNING"
            time.sleep(1)

    def savepoint_bytes(self, kind: str) -> int:
        """Return the size of a savepoint: ``NATIVE`` is the backend's own files, ``CANONICAL`` what any backend reads."""
        form = getattr(get_gateway().jvm.org.apache.flink.core.execution.SavepointFormatType, kind)
        path = self._client.triggerSavepoint(f"file://{self._folder}/savepoints", form).get()
        files = Path(str(path).removeprefix("file:")).rglob("*")
        return sum(file.stat().st_size for file in files if file.is_file())

    def heap_bytes(self) -> int:
        """Return what is in use of the JVM's heap after a collection of garbage."""
        jvm = get_gateway().jvm
        for _ in range(3):
            jvm.java.lang.System.gc()
            time.sleep(0.3)
        memory = jvm.java.lang.Runtime.getRuntime()
        return int(memory.totalMemory() - memory.freeMemory())

    def close(self) -> None:
        """End the job."""
        self._client.cancel().get()

    def _scored(self) -> int:
        return sum(
            outcome == Outcome.SCORED
            for groups in self._sinks.read("changes")
            for _, _, _, outcomes, *_ in groups
            for outcome in outcomes
        )


def _prediction(number: int) -> dict[str, Any]:
    return {
        "kind": "prediction", "transaction_id": str(number), "event_time_ms": START_MS + number * 40, "model": "cards",
        "version": "1", "role": "champion", "score": (number * 7_919 % 100_003) / 100_003, "excluded": False,
        "partition": 0, "offset": number,
    }  # fmt: skip


def bytes_per_open_transaction(folder: Path, count: int) -> dict[str, float]:
    """Return what one of ``count`` open transactions takes: what comes on top of a tenth as many, by backend."""
    figures = {}
    for state_backend in ("hashmap", "rocksdb"):
        run = OpenTransactions(folder / state_backend, state_backend)
        kinds = ("CANONICAL",) if state_backend == "hashmap" else ("NATIVE", "CANONICAL")
        try:
            run.add(count // 10)
            before = {kind: run.savepoint_bytes(kind) for kind in kinds} | {"heap": run.heap_bytes()}
            run.add(count)
            after = {kind: run.savepoint_bytes(kind) for kind in kinds} | {"heap": run.heap_bytes()}
        finally:
            run.close()
        each = {name: (after[name] - before[name]) / count for name in after}
        if state_backend == "hashmap":
            figures["heap_bytes_per_open_transaction"] = each["heap"]
        else:
            figures["rocksdb_bytes_per_open_transaction"] = each["NATIVE"]
        figures[f"savepoint_bytes_per_open_transaction_{state_backend}"] = each["CANONICAL"]
    return figures
