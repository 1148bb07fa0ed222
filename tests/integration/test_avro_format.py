"""What Python writes in Avro, Flink's own format reads, and the other way round; in a JVM, without a cluster."""

from __future__ import annotations

import re

import pytest
from pyflink.java_gateway import get_gateway
from pyflink.table import StreamTableEnvironment

from connectors.avro_table import avro_columns, message_expression
from udfs.domain.event import Position
from udfs.domain.feature_set import FEATURE_SETS
from udfs.domain.parsing import parse_transaction
from udfs.wire.avro_codec import AvroCodec

pytestmark = pytest.mark.integration

MESSAGES = {
    "transactions": [
        {"transaction_id": "t", "event_time_ms": 2**40, "customer_id": "c é", "terminal_id": "m", "amount": 0.1 + 0.2},
        {"transaction_id": "", "event_time_ms": -1, "customer_id": "c", "amount": 1e300, "V1": -1.5, "note": "x"},
        {"control": "close", "event_time_ms": 7},
        {},
    ],
    "inferences": [
        {
            "transaction_id": "t", "event_time_ms": 5, "model": "m", "version": "1", "role": "champion",
            "digest": "d" * 64, "score": 1 / 3, "reason": None, "feature_set": "handbook@1",
            "features": {f"F{each}": each / 7 for each in range(15)}, "warming_up": False, "late": True,
            "excluded": False, "deployment_seq": 3, "source_partition": 2, "source_offset": 2**40,
            "watermark_ms": None, "ingestion_time_ms": 6, "prediction_time_ms": 7,
        },
    ],
}  # fmt: skip


@pytest.fixture
def tables(minicluster_env, jars):
    env = minicluster_env()
    env.add_jars(*jars)
    return StreamTableEnvironment.create(env)


def flinks_format(tables, topic: str):
    """Return Flink's reader and writer of a topic's columns."""
    tables.execute_sql(f"CREATE TEMPORARY TABLE `{topic}` ({avro_columns(topic)}) WITH ('connector' = 'blackhole')")
    schema = tables.from_path(topic)._j_table.getResolvedSchema()
    row_type = schema.toPhysicalRowDataType().getLogicalType()
    flink = get_gateway().jvm.org.apache.flink
    information = flink.table.runtime.typeutils.InternalTypeInfo.of(row_type)
    reader = flink.formats.avro.AvroRowDataDeserializationSchema(row_type, information)
    writer = flink.formats.avro.AvroRowDataSerializationSchema(row_type)
    reader.open(None)
    writer.open(None)
    return reader, writer


@pytest.mark.parametrize("topic", MESSAGES)
def test_flink_reads_what_python_writes_and_python_what_flink_writes(tables, topic):
    codec, (reader, writer) = AvroCodec.of(topic), flinks_format(tables, topic)
    for message in MESSAGES[topic]:
        assert codec.decode(bytes(writer.serialize(reader.deserialize(codec.encode(message))))) == message


def test_flink_refuses_what_is_no_avro_and_passes_over_null(tables):
    reader, _ = flinks_format(tables, "transactions")
    with pytest.raises(Exception, match="Failed to deserialize Avro record"):
        reader.deserialize(b'{"transaction_id": "t"}')
    assert reader.deserialize(None) is None


CONSTANTS = """
SELECT CONCAT({message}, '') FROM (SELECT
  CAST(NULL AS STRING) AS control, 't''1' AS transaction_id, CAST(1099511627776 AS BIGINT) AS event_time_ms,
  'c"é' AS customer_id, CAST(NULL AS STRING) AS terminal_id, 0.30000000000000004E0 AS amount,
  MAP[{numbers}] AS numbers, CAST(NULL AS MAP<STRING, STRING>) AS strings
)
"""


def test_the_json_that_sql_makes_of_columns_is_the_transaction_that_was_written(tables):
    wanted = {name: number / 7 for number, name in enumerate(FEATURE_SETS["creditcard"].required_fields)}
    numbers = ", ".join(f"'{name}', CAST({value!r} AS DOUBLE)" for name, value in {**wanted, "other": 1.5}.items())
    message = message_expression(FEATURE_SETS["creditcard"])
    # Flink's planner computes what is constant, with the code that it makes for the job.
    plan = tables.explain_sql(CONSTANTS.format(message=message, numbers=numbers))
    found = re.findall(r"select=\['(.*)' AS ", plan)
    assert found, plan
    at = Position(partition=0, offset=1, ingestion_time_ms=2**41)
    event = parse_transaction(found[-1].replace("''", "'"), at, tuple(wanted))
    assert isinstance(event, dict), event
    assert (event["transaction_id"], event["customer_id"], event["terminal_id"]) == ("t'1", 'c"é', None)
    assert (event["event_time_ms"], event["amount"], event["fields"]) == (2**40, 0.1 + 0.2, wanted)
