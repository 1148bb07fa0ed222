"""Registry rows are parsed without trust: anything may stand on the topic."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.domain.metadata import (
    Activation,
    ArtifactPart,
    FeatureDefinition,
    IgnoredRow,
    MalformedRow,
    parse_metadata,
)

ROW = {
    "deployment_seq": 4, "model": "fraud", "role": "champion", "version": "2", "digest": "d", "threshold": 0.9,
    "effective_from_ms": None, "retired": False, "who": "me", "why": "better",
}  # fmt: skip


def envelope(row: object, table: str = "model_activation", op: str = "c") -> str:
    return json.dumps({"op": op, "source": {"table": table}, "after": row, "before": None})


@pytest.mark.parametrize("op", ["c", "r", "u"])
def test_an_activation_is_read_from_a_snapshot_as_from_the_stream(op):
    assert parse_metadata(envelope(ROW, op=op)) == Activation(4, "fraud", "champion", "2", "d", 0.9, 0, False)
    assert parse_metadata(envelope({**ROW, "forced": True}, op=op)).forced


def test_an_activation_of_before_there_was_force_is_read():
    old = Activation(4, "fraud", "champion", "2", "d", 0.9, 0, False).to_json().replace(b'"forced":false,', b"")
    assert b"forced" not in old
    assert not Activation.from_json(old).forced


def test_a_part_of_an_artifact_is_decoded():
    row = {"digest": "d", "part": 1, "parts": 2, "bytes": base64.b64encode(b"xyz").decode()}
    assert parse_metadata(envelope(row, "model_artifact")) == ArtifactPart("d", 1, 2, b"xyz")


@pytest.mark.parametrize(
    "value", [None, envelope(None, op="d"), envelope({"a": 1}, "notification"), '{"op":"c","source":{}}']
)
def test_tombstones_deletes_and_other_tables_are_ignored(value):
    assert isinstance(parse_metadata(value), IgnoredRow)


@pytest.mark.parametrize("definition", [{"features": ["N"]}, '{"features": ["N"]}'])
def test_a_feature_set_is_read_from_an_object_as_from_text_and_travels_between_stages(definition):
    row = {"name": "mine", "version": 2, "hash": "h", "definition": definition}
    read = parse_metadata(envelope(row, "feature_definition"))
    assert read == FeatureDefinition("mine", 2, "h", {"features": ["N"]})
    assert FeatureDefinition.from_json(json.loads(json.dumps(read.to_json()))) == read
    assert isinstance(parse_metadata(envelope({**row, "definition": "[]"}, "feature_definition")), MalformedRow)


@pytest.mark.parametrize(
    "change",
    [
        {"deployment_seq": "4"},
        {"deployment_seq": True},
        {"threshold": "high"},
        {"model": None},
        {"effective_from_ms": 1.5},
    ],
)
def test_a_wrong_field_is_a_malformed_row(change):
    assert parse_metadata(envelope({**ROW, **change})).reason == "wrong_row"


def test_a_missing_field_is_a_malformed_row():
    assert parse_metadata(envelope({k: v for k, v in ROW.items() if k != "digest"})).reason == "wrong_row"


@given(
    st.one_of(st.text(), st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(json.dumps))
)
def test_no_text_whatever_raises(text):
    assert isinstance(parse_metadata(text), IgnoredRow | MalformedRow)


@given(
    st.dictionaries(st.sampled_from(sorted(ROW)), st.none() | st.booleans() | st.floats() | st.text() | st.integers())
)
def test_no_row_whatever_raises(changes):
    parse_metadata(envelope({**ROW, **changes}))
    parse_metadata(envelope(changes, "model_artifact"))
    parse_metadata(envelope(changes, "feature_definition"))


def test_a_name_that_was_not_utf8_deploys_nothing():
    refused = parse_metadata(envelope({**ROW, "model": "fra\ufffdud"}).replace("\\ufffd", "\ufffd"))
    assert isinstance(refused, MalformedRow)
    assert refused.reason == "bad_utf8"


def test_a_signature_comes_with_its_part_and_must_be_base64():
    row = {"digest": "d", "part": 0, "parts": 1, "bytes": "eHl6", "signature": base64.b64encode(b"s" * 64).decode()}
    assert parse_metadata(envelope(row, "model_artifact")) == ArtifactPart("d", 0, 1, b"xyz", b"s" * 64)
    assert isinstance(parse_metadata(envelope({**row, "signature": "?"}, "model_artifact")), MalformedRow)
