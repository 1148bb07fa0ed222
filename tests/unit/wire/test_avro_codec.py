from __future__ import annotations

import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kafka.json_value import json_value
from udfs.domain.event import Position
from udfs.domain.inference import inference_of
from udfs.domain.parsing import parse_transaction
from udfs.wire.avro_codec import AvroCodec
from udfs.wire.avro_columns import AVRO_COLUMNS
from udfs.wire.encode_record import encode_record

AT = Position(partition=0, offset=1, ingestion_time_ms=2_000_000_000_000)
numbers = st.floats(allow_nan=False, allow_infinity=False)
names = st.text(min_size=1, max_size=8).filter(lambda name: name not in AVRO_COLUMNS["transactions"])
transactions = st.fixed_dictionaries(
    {
        "transaction_id": st.text(min_size=1, max_size=20),
        "event_time_ms": st.integers(0, 2_000_000_000_000),
        "customer_id": st.text(min_size=1, max_size=20),
        "amount": numbers,
    },
    optional={"terminal_id": st.text(min_size=1, max_size=20)},
)


@given(transactions, st.dictionaries(names, numbers | st.text(max_size=5), max_size=4))
def test_a_transaction_comes_back_whole(message, others):
    value = AvroCodec.of("transactions").encode({**message, **others})
    assert AvroCodec.reads(value)
    assert AvroCodec.of("transactions").decode(value) == {**message, **others}


@given(transactions, numbers)
def test_both_payloads_are_parsed_to_the_same_event(message, number):
    message = {**message, "V1": number}
    read = [json_value("transactions", encode_record("transactions", message, payload)) for payload in ("json", "avro")]
    first, second = (parse_transaction(value.decode(), AT, ["V1"]) for value in read)
    assert first == second


def test_a_closing_record_is_one_in_both_payloads():
    close = {"control": "close", "event_time_ms": 7}
    assert orjson.loads(json_value("transactions", encode_record("transactions", close, "avro"))) == close


def test_an_inference_keeps_every_field_bit_for_bit_and_tells_null():
    transaction = {
        "transaction_id": "t", "event_time_ms": 1, "warming_up": False, "late": True, "partition": 3,
        "offset": 2**40, "ingestion_time_ms": 5,
    }  # fmt: skip
    inference = inference_of(
        transaction,  # type: ignore[arg-type]
        role="champion", activation=None, digest=None, score=math.nextafter(0.1, 1), reason=None, feature_set="f@1",
        features={"a": 1 / 3, "b": 2}, excluded=False, deployment_seq=1, watermark_ms=None, prediction_time_ms=6,
    )  # fmt: skip
    codec = AvroCodec.of("inferences")
    assert set(inference) == set(AVRO_COLUMNS["inferences"])
    assert codec.decode(codec.encode(inference)) == inference


@pytest.mark.parametrize("topic", AVRO_COLUMNS)
def test_what_is_not_avro_is_left_as_it_is(topic):
    for value in (None, b"", b"{}", b" \n{}", b"\2\xff", b"\2", "\ufeff{}".encode()):
        assert json_value(topic, value) == value


def test_other_topics_are_not_looked_at():
    assert json_value("truths", b"\0\0") == b"\0\0"
