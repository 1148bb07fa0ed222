"""What must never change, or never be, in the job's graph."""

from __future__ import annotations

import pytest

from connectors.file_sinks import FileSinks
from connectors.file_sources import FileSources
from jobs.graph import ROUTING, transformations
from jobs.pipeline import build
from udfs.domain.shards import Shards
from udfs.operators import ids
from udfs.operators.stage_settings import StageSettings

pytestmark = pytest.mark.integration

PYTHON_STAGES = {ids.CUSTOMER, ids.TERMINAL, ids.GATE, ids.SCORE, ids.TRUTH_JOIN, ids.QUALITY}
# Released uids: a savepoint finds its state by them. Add to the list, never change an entry.
PINNED = PYTHON_STAGES | {
    "sql-transactions-1", "sql-truths-1", "sql-weir.metadata-1", "sql-WindowAggregate-1", "sql-WindowAggregate-2",
}  # fmt: skip


@pytest.fixture
def graph(tmp_path, minicluster_env):
    settings = StageSettings(
        build_id="source tree", model="fraud", feature_set="handbook", order="arrival", activation="arrival", shards=32,
        first_deployment_seq=0, emit_features=True, parallelism=2, lateness_ms=1000, event_time_batch_ms=3_600_000,
        quality_window_ms=86_400_000, quality_interval_ms=1000, truth_retention_ms=86_400_000,
    )  # fmt: skip
    env = minicluster_env()
    build(env, settings, FileSources(tmp_path / "in", 1000), FileSinks(tmp_path / "out"), batch_ms=20)
    return env


def test_every_operator_source_and_sink_has_a_uid_of_its_own(graph):
    uids = [step.getUid() for step in transformations(graph) if step.getClass().getSimpleName() not in ROUTING]
    assert None not in uids
    assert len(set(uids)) == len(uids)
    assert PINNED <= set(uids)


def test_no_task_holds_two_python_operators(graph):
    job_graph = graph._j_stream_execution_environment.getStreamGraph(False).getJobGraph()
    names = [vertex.getName() for vertex in job_graph.getVerticesAsArray()]
    for name in names:
        assert sum(stage in name for stage in PYTHON_STAGES) <= 1, name
    assert all(any(stage in name for name in names) for stage in PYTHON_STAGES)


def test_max_parallelism_is_the_number_of_shards_on_every_stage(graph):
    for step in transformations(graph):
        if step.getUid() in PYTHON_STAGES:
            assert step.getMaxParallelism() in (32, -1), step.getUid()
    assert graph.get_max_parallelism() == 32


def test_shard_keys_lie_in_the_key_groups_that_flink_computes(graph):
    from pyflink.java_gateway import get_gateway

    jvm = get_gateway().jvm
    assign = jvm.org.apache.flink.runtime.state.KeyGroupRangeAssignment.assignToKeyGroup
    for count in (8, 32, 128):
        for group, key in enumerate(Shards(count).keys):
            row = jvm.org.apache.flink.types.Row(1)
            row.setField(0, key)
            assert assign(row, count) == group
