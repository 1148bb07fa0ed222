"""The few things PyFlink has no method for: keys and side outputs that stay in the JVM, and uids on what SQL made."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pyflink.common import Types
from pyflink.datastream import DataStream, KeyedStream, OutputTag
from pyflink.java_gateway import get_gateway

from udfs.operators.ids import SQL_PREFIX

__all__ = ["keyed_by_first_field", "set_sql_uids", "side_output", "transformations"]

# These only route records; Flink gives them no operator and takes no uid from them.
ROUTING = frozenset({"PartitionTransformation", "UnionTransformation", "SideOutputTransformation"})


def keyed_by_first_field(stream: DataStream, value_type: Any) -> KeyedStream:  # noqa: ANN401
    """Key rows ``(key, value)`` by their first field in the JVM; the function then receives the value.

    ``DataStream.key_by`` would call Python for every record. A row is a batch already: it does not wait for company on
    its way, which is quicker and spares a thread that looks every few milliseconds.
    """
    _send_at_once(stream._j_data_stream.getTransformation())  # noqa: SLF001
    key_type = Types.ROW([Types.STRING()]).get_java_type_info()
    j_stream = stream._j_data_stream.keyBy(get_gateway().jvm.KeyByKeySelector(), key_type)  # noqa: SLF001
    return KeyedStream(j_stream, value_type, stream)


def _send_at_once(step: Any) -> None:  # noqa: ANN401
    if step.getClass().getSimpleName() in ROUTING:
        for before in step.getInputs():
            _send_at_once(before)
    else:
        step.setBufferTimeout(0)


def side_output(stream: DataStream, tag: OutputTag) -> DataStream:
    """Return what an operator wrote to a side output.

    ``DataStream.get_side_output`` puts a task behind it that calls Python for every record and hands it on as it is.
    """
    return DataStream(stream._j_data_stream.getSideOutput(tag.get_java_output_tag()))  # noqa: SLF001


def transformations(env: Any, of: DataStream | None = None) -> list[Any]:  # noqa: ANN401
    """Return every transformation of the job, or of one stream, each once, in a stable order."""
    every = env._j_stream_execution_environment.getTransformations()  # noqa: SLF001
    seen: dict[int, Any] = {}
    for root in every if of is None else [of._j_data_stream.getTransformation()]:  # noqa: SLF001
        for step in root.getTransitivePredecessors():
            seen.setdefault(step.getId(), step)
    return [seen[identity] for identity in sorted(seen)]


def set_sql_uids(env: Any, prefix: str = SQL_PREFIX, of: DataStream | None = None) -> None:  # noqa: ANN401
    """Give a uid to every transformation, of the job or of one stream, that has none: those SQL made.

    They are numbered per kind in the order in which ``build`` makes them, so a sink or source added at the end leaves
    the others' state where it was.
    """
    numbers: Counter[str] = Counter()
    for step in transformations(env, of):
        if step.getUid() is None and step.getClass().getSimpleName() not in ROUTING:
            kind = step.getName().split("[")[0].split("(")[0].strip()
            numbers[kind] += 1
            step.setUid(f"{prefix}-{kind}-{numbers[kind]}")
