"""What is read from the tables against what was put in, by the stream's own rules of truth."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.iceberg.labelled_rows import LabelledRows
from connectors.iceberg.newest_truths import newest_truths
from connectors.iceberg.read_labelled_rows import read_labelled_rows
from connectors.iceberg.training_snapshot import TrainingSnapshot
from tests.unit.iceberg.conftest import FEATURES, TRUTHS
from udfs.domain.errors import DataFileError

TELLINGS = st.lists(
    st.tuples(
        st.sampled_from("abc"), st.integers(0, 1), st.integers(0, 2), st.booleans() | st.none(), st.integers(1, 5)
    ),
    max_size=12,
)


def read(tables, **window) -> LabelledRows:
    return read_labelled_rows(tables.catalog, TrainingSnapshot.newest(tables.catalog), "handbook@1", FEATURES, **window)


def test_each_transaction_comes_once_in_event_order_with_its_recorded_features(tables):
    tables.infer(
        {"transaction_id": "late", "event_time_ms": 5},
        {"transaction_id": "b", "event_time_ms": 3},
        {"transaction_id": "a", "event_time_ms": 3},
        {"transaction_id": "a", "event_time_ms": 3, "role": "challenger", "version": "2"},
        {"transaction_id": "null", "event_time_ms": 4, "score": None, "version": None},
        {"transaction_id": "other", "event_time_ms": 4, "feature_set": "creditcard@1"},
        {"transaction_id": "partly", "event_time_ms": 4, "features": {"TX_AMOUNT": 1.0}},
    )
    tables.infer({"transaction_id": "a", "event_time_ms": 3})
    tables.tell({"transaction_id": "a", "label": 1, "truth_time_ms": 70}, {"transaction_id": "unknown"})
    rows = read(tables)
    assert rows.transaction_id.tolist() == ["a", "b", "null", "late"]
    assert rows.vectors.tolist() == [[3.0, 0.0], [3.0, 0.0], [4.0, 0.0], [5.0, 0.0]]
    assert rows.label.tolist() == [1, -1, -1, -1]
    assert rows.truth_time_ms.tolist() == [70, -1, -1, -1]


def test_a_window_of_event_time_is_half_open(tables):
    tables.infer(*({"transaction_id": str(time), "event_time_ms": time} for time in range(6)))
    tables.tell({"transaction_id": "0"})
    assert read(tables, since_ms=2, until_ms=4).transaction_id.tolist() == ["2", "3"]


def test_a_truth_is_found_by_its_transaction_whatever_event_time_it_names(tables):
    tables.infer({"transaction_id": "a", "event_time_ms": 3})
    tables.tell({"transaction_id": "a", "label": 1, "event_time_ms": 1})
    assert read(tables, since_ms=2).label.tolist() == [1]


def test_only_what_an_artifact_scored_in_a_role_is_read_when_that_is_asked_for(tables):
    tables.infer(
        {"transaction_id": "a", "event_time_ms": 1, "digest": "new", "role": "challenger"},
        {"transaction_id": "b", "event_time_ms": 2, "digest": "new"},
        {"transaction_id": "a", "event_time_ms": 1, "digest": "old"},
    )
    tables.tell({"transaction_id": "a"})
    assert read(tables, scored_by=("new", "challenger")).transaction_id.tolist() == ["a"]
    assert read(tables, scored_by=("new", "champion")).transaction_id.tolist() == ["b"]


def test_a_transaction_that_was_intervened_with_has_no_label(tables):
    tables.infer({"transaction_id": "a", "event_time_ms": 3})
    tables.tell({"transaction_id": "a", "label": 1, "intervened": True})
    rows = read(tables)
    assert (rows.label.tolist(), rows.truth_time_ms.tolist()) == ([-1], [-1])


def oracle(tellings):
    """The greatest (revision, outcome), where 2 stands for intervened; of equal ones the earliest."""
    held = {}
    for transaction, label, revision, intervened, time in tellings:
        place = (revision, 2 if intervened else label, -time)
        held[transaction] = max(held.get(transaction, place), place)
    return {name: (None if outcome == 2 else outcome, -time) for name, (_, outcome, time) in held.items()}


@given(TELLINGS, st.integers())
def test_the_truth_that_holds_is_the_streams_whatever_the_order(tellings, seed):
    shuffled = list(tellings)
    random.Random(seed).shuffle(shuffled)
    names = ("transaction_id", "label", "revision", "intervened", "truth_time_ms")
    rows = pa.Table.from_pylist([dict(zip(names, each, strict=True)) for each in shuffled], schema=TRUTHS)
    found = newest_truths(rows).to_pylist()
    assert {each["transaction_id"]: (each["label"], each["truth_time_ms"]) for each in found} == oracle(tellings)
    assert len(found) == len(oracle(tellings))


def test_a_truth_that_the_job_refused_is_no_label_whatever_the_table_made_of_it(tables):
    """A label "1" is 1 in the table, and one without customer_id looks like others: only the verdict tells."""
    tables.infer(*({"transaction_id": name, "event_time_ms": 1} for name in "abcd"))
    tables.tell(
        {"transaction_id": "a", "label": 1, "topic_partition": 1, "topic_offset": 70},
        {"transaction_id": "b", "label": 1, "topic_partition": 2, "topic_offset": 70},
        {"transaction_id": "c", "label": 0, "topic_partition": 0, "topic_offset": 71},
        {"transaction_id": "c", "label": 1, "revision": 3, "topic_partition": 0, "topic_offset": 72},
        {"transaction_id": "d", "label": 1, "topic_partition": 0, "topic_offset": 73},
    )
    assert read(tables).label.tolist() == [1, 1, 1, 1]
    refused = {"partition": 1, "offset": 70}, {"partition": 0, "offset": 72}
    tables.refuse(*refused, *refused, {"partition": 2, "offset": 70, "topic": "transactions"})
    assert read(tables).label.tolist() == [-1, 1, 0, 1]


def test_what_the_job_has_yet_to_refuse_hides_no_truth_that_it_took(tables):
    tables.infer({"transaction_id": "a", "event_time_ms": 1}, {"transaction_id": "b", "event_time_ms": 2})
    tables.tell({"transaction_id": "a", "label": 1}, {"transaction_id": "a", "label": None, "revision": 9})
    tables.tell({"transaction_id": "b", "label": 1}, {"transaction_id": "b", "revision": None})
    assert read(tables).label.tolist() == [1, 1]


def test_rows_come_back_from_a_file_with_the_same_digest(tables, tmp_path):
    tables.infer({"transaction_id": "a", "event_time_ms": 1}, {"transaction_id": "bé", "event_time_ms": 2})
    tables.tell({"transaction_id": "a"})
    rows = read(tables)
    rows.write(tmp_path / "rows.npz")
    again = LabelledRows.read(tmp_path / "rows.npz")
    assert again.sha256() == rows.sha256()
    assert again.transaction_id.tolist() == ["a", "bé"]


def test_every_value_counts_in_the_digest(tables):
    tables.infer({"transaction_id": "a", "event_time_ms": 1}, {"transaction_id": "b", "event_time_ms": 2})
    tables.tell({"transaction_id": "a"})
    rows = read(tables)
    changed = {
        "transaction_id": np.array(["a", "c"]),
        "event_time_ms": rows.event_time_ms + 1,
        "vectors": rows.vectors + np.spacing(rows.vectors),
        "label": 1 - rows.label,
        "truth_time_ms": rows.truth_time_ms + 1,
    }
    names = list(changed)
    columns = {name: getattr(rows, name) for name in names}
    digests = {LabelledRows(rows.features, **{**columns, name: changed[name]}).sha256() for name in names}
    assert len(digests | {rows.sha256()}) == 6
    assert LabelledRows(("x", "y"), **columns).sha256() not in digests | {rows.sha256()}


def test_a_file_of_something_else_is_refused(tmp_path):
    (tmp_path / "rows.npz").write_bytes(b"no rows")
    with pytest.raises(DataFileError, match="does not hold rows"):
        LabelledRows.read(tmp_path / "rows.npz")
