"""What a transaction without truth takes of a real state backend: the truth join alone, on Flink's MiniCluster."""

from __future__ import annotations

import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from pyflink.common import Types
from pyflink.java_gateway import get_gateway

from jobs.graph import side_output
from tests.bench.fed_job import FedJob
from udfs.domain.payload import encode
from udfs.domain.quality_change import Outcome
from udfs.domain.shards import Shards
from udfs.operators import ids
from udfs.operators.descriptors import DEAD_LETTERS, JOINED
from udfs.operators.stage_settings import StageSettings
from udfs.operators.truth_join_stage import TruthJoinStage

DAY_MS = 86_400_000
START_MS = 1_522_540_800_000
SHARDS, BATCH = 8, 20
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
        self._savepoints, self._sent = (folder / "savepoints").as_uri(), 0
        self._job = FedJob(folder, "STRING", shards=SHARDS, checkpoint_ms=1_000, state_backend=state_backend)
        payloads = self._job.rows(Types.STRING())
        joined = self._job.stage(payloads, Types.STRING(), TruthJoinStage(SETTINGS), JOINED, ids.TRUTH_JOIN)
        self._job.start({"changes": joined, "dead_letters": side_output(joined, DEAD_LETTERS)})

    def add(self, count: int, timeout_s: float = 300.0) -> None:
        """Predict so many transactions more and wait until all are in state."""
        batches: dict[str, list[dict[str, Any]]] = defaultdict(list)
        lines, shards = [], Shards(SHARDS)
        for number in range(self._sent, self._sent + count):
            key = shards.of(str(number))
            batches[key].append(_prediction(number))
            if len(batches[key]) == BATCH:
                lines.append({"k": key, "v": encode(batches.pop(key)).decode()})
        lines += [{"k": key, "v": encode(batch).decode()} for key, batch in batches.items()]
        self._job.feed(lines)
        self._sent += count
        self._job.wait(self._scored, self._sent, timeout_s)

    def savepoint_bytes(self, kind: str) -> int:
        """Return the size of a savepoint: ``NATIVE`` is the backend's own files, ``CANONICAL`` what any backend reads."""
        form = getattr(get_gateway().jvm.org.apache.flink.core.execution.SavepointFormatType, kind)
        path = self._job.client.triggerSavepoint(self._savepoints, form).get()
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
        self._job.close()

    def _scored(self) -> int:
        return sum(
            outcome == Outcome.SCORED
            for groups in self._job.sinks.read("changes")
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
