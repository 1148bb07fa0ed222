"""Entry point of the scoring job: ``flink run -py run_scoring.py -pyfs bundle.zip ARGUMENTS``.

Reads its one JSON argument (:class:`jobs.job_arguments.JobArguments`), builds the graph and executes it. It holds no
functions of the job: what is defined in an entry script would be pickled by value.
"""

from __future__ import annotations

import sys

from pyflink.common import Configuration
from pyflink.datastream import CheckpointingMode, ExternalizedCheckpointRetention, StreamExecutionEnvironment

from connectors.kafka_sinks import KafkaSinks
from connectors.kafka_sources import KafkaSources
from jobs.job_arguments import JobArguments
from jobs.pipeline import build

__all__ = ["main"]

ALIGNED_CHECKPOINT_TIMEOUT_MS = 30_000
"""Aligned sources are told each second how far they may read. What Flink would have told a subtask that dies while a
checkpoint is triggered is never told nor forgotten, and the next checkpoint waits for it until its time is over: by
default for ten minutes (OperatorCoordinatorHolder, "is awaiting pending events")."""


def main(argv: list[str]) -> None:
    """Build and execute the job that ``argv[1]`` describes."""
    arguments = JobArguments.from_json(argv[1])
    configuration = Configuration()
    configuration.set_string("python.execution-mode", "thread")
    # Else every chained step of SQL copies its row, with all records of the batch, once for each record.
    configuration.set_string("pipeline.object-reuse", "true")
    configuration.set_string("execution.checkpointing.dir", arguments.checkpoints)
    configuration.set_string("state.backend.type", arguments.state_backend)
    # RocksDB's checkpoints are its files: those the last checkpoint has are not copied again. The heap has no such files.
    configuration.set_string("execution.checkpointing.incremental", str(arguments.state_backend == "rocksdb").lower())
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    env.set_parallelism(arguments.parallelism)
    env.set_buffer_timeout(arguments.buffer_timeout_ms)
    env.enable_checkpointing(arguments.checkpoint_interval_ms, CheckpointingMode.EXACTLY_ONCE)
    checkpointing = env.get_checkpoint_config()
    checkpointing.set_externalized_checkpoint_retention(ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION)
    checkpointing.set_min_pause_between_checkpoints(arguments.checkpoint_interval_ms // 2)
    checkpointing.set_tolerable_checkpoint_failure_number(1_000)
    if arguments.stages.order == "event_time":
        checkpointing.set_checkpoint_timeout(ALIGNED_CHECKPOINT_TIMEOUT_MS)
    build(
        env,
        arguments.stages,
        KafkaSources(
            arguments.bootstrap,
            arguments.name,
            arguments.stages.order,
            arguments.stages.lateness_ms,
            arguments.kafka,
            arguments.stages.payload,
            arguments.stages.feature_set,
        ),
        KafkaSinks(arguments.bootstrap, arguments.name, arguments.kafka),
        batch_ms=arguments.batch_ms,
    )
    env.execute(arguments.name)


if __name__ == "__main__":
    main(sys.argv)
