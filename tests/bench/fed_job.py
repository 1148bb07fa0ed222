"""A part of the job on Flink's MiniCluster, fed with lines of JSON while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson
from pyflink.common import Types
from pyflink.datastream import DataStream
from pyflink.table import StreamTableEnvironment, Table

from connectors.file_sinks import FileSinks
from jobs.graph import keyed_by_first_field
from tests.integration.conftest import minicluster_environment

__all__ = ["FedJob"]

SOURCE = """
CREATE TEMPORARY TABLE fed (k STRING, v {value}) WITH (
  'connector' = 'filesystem', 'path' = 'file://{folder}', 'source.monitor-interval' = '100ms', 'format' = 'json'
)
"""


class FedJob:
    """A job of one subtask that is laid out, started, fed and closed.

    Parameters
    ----------
    folder
        Input, output and checkpoints.
    value
        SQL type of a line's ``v``; ``k`` is the key of a shard.
    shards, checkpoint_ms, state_backend
        The job's.

    Attributes
    ----------
    tables
        What SQL is asked of while the job is laid out.
    sinks
        What the job has written.
    client
        The running job's client in the JVM.
    """

    def __init__(
        self, folder: Path, value: str, *, shards: int, checkpoint_ms: int, state_backend: str = "hashmap"
    ) -> None:
        self._input, self._files, self.sinks = folder / "in", 0, FileSinks(folder / "out")
        self._input.mkdir(parents=True)
        # what the JobManager keeps in memory of a checkpoint may not be larger than 5 MB
        checkpoints = (folder / "checkpoints").as_uri()
        self._env = minicluster_environment(1, checkpoint_ms, state_backend, checkpoints=checkpoints)
        self._env.set_max_parallelism(shards)
        self.tables = StreamTableEnvironment.create(self._env)
        self.tables.execute_sql(SOURCE.format(value=value, folder=self._input))
        self.client: Any = None
        self._result: Any = None

    def rows(self, value_type: Any) -> DataStream:
        """Return the stream of what the job is fed with."""
        kinds = Types.ROW([Types.STRING(), value_type])
        return self.tables.to_append_stream(self.tables.sql_query("SELECT k, v FROM fed"), kinds)

    def stage(self, rows: DataStream, value_type: Any, function: Any, output_type: Any, uid: str) -> DataStream:
        """Lay a stage behind a stream, as the job does."""
        keyed = keyed_by_first_field(rows, value_type)
        return keyed.process(function, output_type).uid(uid).name(uid).disable_chaining()

    def start(self, outputs: Mapping[str, DataStream | Table]) -> None:
        """Write these below their names, and start."""
        statements = self.tables.create_statement_set()
        for name, output in outputs.items():
            table = self.tables.from_data_stream(output) if isinstance(output, DataStream) else output
            statements.add_insert(self.sinks.create(self.tables, name), table)
        statements.attach_as_datastream()
        self.client = self._env.execute_async("fed")._j_job_client
        self._result = self.client.getJobExecutionResult()

    def feed(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Hand the job lines, all at once."""
        hidden = self._input / f".{self._files}.json"  # hidden files are not read
        hidden.write_bytes(b"\n".join(map(orjson.dumps, lines)) + b"\n")
        hidden.rename(self._input / f"{self._files}.json")
        self._files += 1

    def wait(self, count: Callable[[], int], wanted: int, timeout_s: float) -> None:
        """Wait until so many are counted; raise the job's error if it fails before."""
        deadline = time.monotonic() + timeout_s
        while (seen := count()) < wanted:
            assert time.monotonic() < deadline, f"{seen} of {wanted}"
            if self._result.isDone():
                self._result.get()  # says why it failed
            time.sleep(1)

    def close(self) -> None:
        """End the job."""
        if not self._result.isDone():
            self.client.cancel().get()
