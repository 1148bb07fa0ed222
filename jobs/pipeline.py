"""The job, from top to bottom as in the diagram of the README: sources, stages, sinks."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from pyflink.common import Types
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.table import Schema, StreamTableEnvironment

from connectors.interval import interval
from connectors.statement import statement
from jobs.graph import keyed_by_first_field, set_sql_uids, side_output
from udfs.domain.shards import Shards
from udfs.operators import ids
from udfs.operators.customer_stage import CustomerStage
from udfs.operators.descriptors import (
    BATCH,
    BROADCAST,
    DEAD_LETTERS,
    JOINED,
    KEYED_PAYLOAD,
    METADATA,
    MODEL_EVENTS,
    PAYLOAD,
    RECORD,
    SCORED,
    SCORED_TOPICS,
    TRUTHS,
    VERDICT,
    WATERMARKS,
)
from udfs.operators.gate_stage import GateStage
from udfs.operators.quality_stage import QualityStage
from udfs.operators.score_stage import ScoreStage
from udfs.operators.stage_settings import StageSettings
from udfs.operators.terminal_stage import TerminalStage
from udfs.operators.truth_join_stage import TruthJoinStage

__all__ = ["Sinks", "Sources", "build"]

STRING = Types.STRING()


class Sources(Protocol):
    """Creates the table of a topic the job reads."""

    def create(self, tables: Any, topic: str) -> None:  # noqa: ANN401
        """Create the table, named after the topic."""


class Sinks(Protocol):
    """Creates the table of a topic the job writes."""

    def create(self, tables: Any, topic: str) -> str:  # noqa: ANN401
        """Create the table and return its name."""


class Gated(NamedTuple):
    """What leaves the gate."""

    verdicts: DataStream
    model_events: DataStream
    dead_letters: DataStream


def build(
    env: StreamExecutionEnvironment,
    settings: StageSettings,
    sources: Sources,
    sinks: Sinks,
    *,
    batch_ms: int,
) -> None:
    """Lay the whole graph into ``env``; the caller executes it.

    Parameters
    ----------
    env
        Its parallelism and checkpointing are set by the caller.
    settings
        What every stage is told.
    sources, sinks
        Kafka in production, files in tests; the graph between them is the same.
    batch_ms
        How long the source collects records per shard.
    """
    env.set_max_parallelism(settings.shards)
    tables = StreamTableEnvironment.create(env)

    batches = _batches(tables, settings, sources, "transactions", batch_ms).union(
        _batches(tables, settings, sources, "truths", batch_ms)
    )
    sources.create(tables, "weir.metadata")
    batches = batches.union(_definitions(env, tables, settings))
    customers = _stage(batches, BATCH, CustomerStage(settings), KEYED_PAYLOAD, ids.CUSTOMER)
    terminals = _stage(customers, PAYLOAD, TerminalStage(settings), KEYED_PAYLOAD, ids.TERMINAL)
    gated = _gate(tables, settings, customers)
    scored = _score(terminals, gated.verdicts, settings)
    tables.create_temporary_view("scored", scored, _scored_schema())
    predictions = tables.to_append_stream(tables.sql_query(statement("job/predictions.sql")), KEYED_PAYLOAD)
    truths = side_output(customers, TRUTHS)
    joined = _stage(predictions.union(truths), PAYLOAD, TruthJoinStage(settings), JOINED, ids.TRUTH_JOIN)
    quality = _stage(joined, PAYLOAD, QualityStage(settings), RECORD, ids.QUALITY)

    records = {
        "model_quality": quality,
        "model_events": gated.model_events,
        "dead_letters": side_output(customers, DEAD_LETTERS).union(
            gated.dead_letters, side_output(joined, DEAD_LETTERS)
        ),
    }
    _write(tables, sinks, records, settings)
    set_sql_uids(env)


def _batches(
    tables: StreamTableEnvironment, settings: StageSettings, sources: Sources, topic: str, batch_ms: int
) -> DataStream:
    sources.create(tables, topic)
    tables.execute_sql(statement("job/sharded.sql", topic=topic, keys=_keys(settings), shards=settings.shards))
    query = statement(
        f"job/batches_{settings.order}.sql",
        topic=topic,
        batch=interval(batch_ms),
        event_time_batch=interval(settings.event_time_batch_ms),
    )
    return tables.to_append_stream(tables.sql_query(query), Types.ROW([STRING, BATCH]))


def _definitions(
    env: StreamExecutionEnvironment, tables: StreamTableEnvironment, settings: StageSettings
) -> DataStream:
    query = tables.sql_query(statement("job/definitions.sql", keys=_keys(settings)))
    rows = tables.to_append_stream(query, Types.ROW([STRING, BATCH]))
    # named apart, so that the numbers of the others, by which savepoints know them, stay as they are
    set_sql_uids(env, prefix=ids.DEFINITIONS, of=rows)
    return rows


def _keys(settings: StageSettings) -> str:
    return ", ".join(f"'{key}'" for key in Shards(settings.shards).keys)


def _stage(stream: DataStream, value_type: Any, function: Any, output_type: Any, uid: str) -> DataStream:  # noqa: ANN401
    keyed = keyed_by_first_field(stream, value_type)
    # Two Python operators in one task deadlock on the interpreter's lock in thread mode.
    return keyed.process(function, output_type).uid(uid).name(uid).disable_chaining()


def _gate(tables: StreamTableEnvironment, settings: StageSettings, customers: DataStream) -> Gated:
    records = tables.to_append_stream(
        tables.sql_query(statement("job/metadata_records.sql")), Types.ROW([STRING, METADATA])
    )
    if settings.activation == "event_time":  # only then: it makes checkpoints of the gate wait for the transactions
        records = records.union(side_output(customers, WATERMARKS))
    verdicts = _stage(records, METADATA, GateStage(settings), VERDICT, ids.GATE).set_parallelism(1)
    return Gated(verdicts, side_output(verdicts, MODEL_EVENTS), side_output(verdicts, DEAD_LETTERS))


def _score(terminals: DataStream, verdicts: DataStream, settings: StageSettings) -> DataStream:
    connected = keyed_by_first_field(terminals, PAYLOAD).connect(verdicts.broadcast(BROADCAST))
    return connected.process(ScoreStage(settings), SCORED).uid(ids.SCORE).name(ids.SCORE).disable_chaining()


def _scored_schema() -> Schema:
    """Describe the score stage's output so that SQL hands its watermarks on.

    Without SOURCE_WATERMARK a table made of a stream swallows them, and the truth join's event time would stand still
    until the stream pauses: no window final, nothing forgotten. The column itself is read by nobody.
    """
    schema = Schema.new_builder().column("k", "STRING").column("v", "BYTES")
    for topic in SCORED_TOPICS:
        schema = schema.column(topic, "ARRAY<ARRAY<BYTES>>")
    schema = schema.column_by_expression("rowtime", "TO_TIMESTAMP_LTZ(0, 3)")
    return schema.watermark("rowtime", "SOURCE_WATERMARK()").build()


def _write(
    tables: StreamTableEnvironment, sinks: Sinks, records: dict[str, DataStream], settings: StageSettings
) -> None:
    def scored(topic: str) -> Any:  # noqa: ANN401
        return tables.sql_query(statement("job/records.sql", topic=topic))

    statements = tables.create_statement_set()
    written = {"inferences": scored("inferences"), "alerts": scored("alerts")}
    written |= {topic: tables.from_data_stream(stream) for topic, stream in records.items()}
    if settings.emit_features:  # the last, so that turning it on leaves the uids of the others as they are
        written["features"] = scored("features")
    for topic, table in written.items():
        statements.add_insert(sinks.create(tables, topic), table)
    statements.attach_as_datastream()
