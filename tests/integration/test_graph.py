"""What must never change, or never be, in the job's graph."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.file_sinks import FileSinks
from connectors.file_sources import FileSources
from connectors.kafka_sinks import KafkaSinks
from connectors.kafka_sources import KafkaSources
from jobs.graph import ROUTING, transformations
from jobs.pipeline import build
from udfs.domain.shards import Shards
from udfs.operators import ids
from udfs.operators.stage_settings import StageSettings

pytestmark = pytest.mark.integration

PYTHON_STAGES = {ids.CUSTOMER, ids.TERMINAL, ids.GATE, ids.SCORE, ids.TRUTH_JOIN, ids.QUALITY}
# Released uids, letter by letter: a savepoint finds its state by them. Add to the list, never change an entry.
PINNED = {
    "customer-windows", "terminal-windows", "model-gate", "score", "truth-join", "model-quality",
    "sql-KafkaSource-default_catalog.default_database.transactions-1",
    "sql-KafkaSource-default_catalog.default_database.truths-1",
    "sql-KafkaSource-default_catalog.default_database.weir.metadata-1",
    "sql-WindowAggregate-1", "sql-WindowAggregate-2",
    "sql-sink_inferences-1", "sql-sink_alerts-1", "sql-sink_features-1", "sql-sink_model_quality-1",
    "sql-sink_model_events-1", "sql-sink_dead_letters-1",
    "definitions-KafkaSource-default_catalog.default_database.weir.metadata-1",
}  # fmt: skip
NOT_KEPT = {"sql-sink_features-1", "definitions-KafkaSource-default_catalog.default_database.weir.metadata-1"}
"""What the kept savepoint's job did not write or have."""
# Where order is event_time, one window takes what is on time and another what is late, of each topic.
PINNED_IN_EVENT_TIME = PINNED | {"sql-GlobalWindowAggregate-1", "sql-GlobalWindowAggregate-2"}
# What SQL makes beside: functions of one row. They keep no state, so their numbers may change with the statements.
STATELESS = re.compile(r"(sql|definitions)-(Calc|Correlate|DataStreamToTable|LocalWindowAggregate|SinkConversion)-\d+")


def stage_settings(order: str = "arrival", payload: str = "json") -> StageSettings:
    return StageSettings(
        build_id="source tree", model="fraud", feature_set="handbook", order=order, activation="arrival", shards=32,
        first_deployment_seq=0, emit_features=True, parallelism=2, lateness_ms=1000, event_time_batch_ms=3_600_000,
        quality_window_ms=86_400_000, quality_interval_ms=1000, truth_retention_ms=86_400_000,
        payload=payload,
    )  # fmt: skip


@pytest.fixture
def graph(tmp_path, minicluster_env):
    env = minicluster_env()
    build(env, stage_settings(), FileSources(tmp_path / "in", 1000), FileSinks(tmp_path / "out"), batch_ms=20)
    return env


@pytest.mark.parametrize("payload", ["json", "avro"])
@pytest.mark.parametrize(("order", "pinned"), [("arrival", PINNED), ("event_time", PINNED_IN_EVENT_TIME)])
def test_every_uid_that_state_is_found_by_is_pinned(jars, minicluster_env, order, pinned, payload):
    env = minicluster_env()
    env.add_jars(*jars)
    # The graph is laid out and not run: nobody calls the broker.
    sources = KafkaSources("127.0.0.1:1", "weir", order, 1000, payload=payload, feature_set="creditcard")
    sinks = KafkaSinks("127.0.0.1:1", "weir")
    build(env, stage_settings(order, payload), sources, sinks, batch_ms=20)
    uids = [step.getUid() for step in transformations(env) if step.getClass().getSimpleName() not in ROUTING]
    assert len(set(uids)) == len(uids)
    assert {uid for uid in uids if not STATELESS.fullmatch(uid)} == pinned


def test_all_state_of_the_savepoint_that_is_kept_lies_under_pinned_uids(minicluster_env):
    from pyflink.java_gateway import get_gateway

    minicluster_env()
    jvm, folder = get_gateway().jvm, Path("tests/data/savepoint-0.1.0").absolute()
    file = jvm.java.io.DataInputStream(jvm.java.io.FileInputStream(str(folder / "_metadata")))
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    metadata = jvm.org.apache.flink.runtime.checkpoint.Checkpoints.loadCheckpointMetadata(file, loader, str(folder))
    keeps = {step.getOperatorUid().get() for step in metadata.getOperatorStates() if step.getStateSize()}
    # A sink's committer takes its uid from the sink's.
    assert {uid.removeprefix("Sink Committer: ") for uid in keeps} == PINNED - NOT_KEPT


def test_every_operator_source_and_sink_has_a_uid_of_its_own(graph):
    uids = [step.getUid() for step in transformations(graph) if step.getClass().getSimpleName() not in ROUTING]
    assert None not in uids
    assert len(set(uids)) == len(uids)


def test_rows_of_feature_sets_reach_the_shards_without_a_join(graph):
    """An unnested constant would be a source that ends, and a join that keeps every row in state."""
    names = [step.getName() for step in transformations(graph) if (step.getUid() or "").startswith(ids.DEFINITIONS)]
    assert any(name.startswith("Correlate") for name in names)
    assert not [name for name in names if "Join" in name or "Values" in name]


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
