"""The bytes of the truth join's state: old ones still decode, and they are as few as stated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.domain.errors import JobError
from udfs.domain.event import Position
from udfs.domain.truth_join import expire_truths, join_truths
from udfs.domain.truth_record import MOST_TELLINGS, OpenTransaction, Telling

NOW = 1_700_000_000_000
RECORD_2 = bytes.fromhex(
    "02010068e5cf8b010000020000000000000001a0eee6cf8b0100000000000000000000000000d03f0300000001000000000000e03f"
)
SHARD_2 = b'{"schema":2,"clock_ms":1700000000000,"names":[["cards","1","champion"]],"due":[[1700055000000,1,0]]}'
PIECE_1 = b'["t1"]'


def _scored(score: float = 0.25) -> OpenTransaction:
    record = OpenTransaction(NOW)
    record.predictions[0] = (False, score)
    return record


def _record() -> OpenTransaction:
    record = _scored()
    record.learn(Telling(2, 1, NOW + 100_000))
    record.predictions[3] = (True, 0.5)
    return record


def _told(record: OpenTransaction) -> tuple:
    return record.event_time_ms, record.outcome, record.tellings, record.presumed, record.predictions, record.origin


def test_a_record_of_schema_2_decodes_and_is_still_written_so():
    assert _told(OpenTransaction.decode(RECORD_2)) == (
        NOW, 1, [(2, 1, NOW + 100_000)], False, {0: (False, 0.25), 3: (True, 0.5)}, None,
    )  # fmt: skip
    assert _record().encode() == RECORD_2


def test_a_record_is_23_bytes_with_a_prediction_and_53_with_two_and_a_truth():
    assert len(_scored().encode()) == 23
    assert len(_record().encode()) == 53


INT64 = st.integers(-(2**63), 2**63 - 1)


@given(
    predictions=st.dictionaries(
        st.integers(0, 2**32 - 1), st.tuples(st.booleans(), st.floats(allow_nan=False)), max_size=5
    ),
    truths=st.lists(st.builds(Telling, INT64, st.sampled_from([0, 1, 4]), INT64), max_size=5),
    presumed=st.booleans(),
    event_time_ms=st.integers(0, 2**62),
)
def test_any_record_comes_back_as_it_was(predictions, truths, presumed, event_time_ms):
    record = OpenTransaction(event_time_ms)
    record.predictions |= predictions
    record.presumed = presumed
    for telling in truths:
        record.learn(telling)
    if truths and not predictions:
        record.origin = Position(partition=3, offset=2**40, ingestion_time_ms=NOW)
    again = OpenTransaction.decode(record.encode())
    assert _told(again) == _told(record)
    assert again.encode() == record.encode()


def test_state_of_schema_2_joins_on():
    state = {
        "\x00shard": SHARD_2,
        "\x00due/1700055000000/0": PIECE_1,
        "t1": _scored(0.5).encode(),
    }
    truth = {
        "kind": "truth", "transaction_id": "t1", "label": 1, "revision": 1, "truth_time_ms": NOW, "event_time_ms": NOW,
        "customer_id": "c", "terminal_id": None, "intervened": False, "partition": 0, "offset": 0,
    }  # fmt: skip
    update = join_truths([truth], state, window_ms=1000, retention_ms=10_000, watermark_ms=0)  # type: ignore[list-item]
    assert update.changes == [
        ("cards", "1", "champion", "truth_time", NOW, 0.5, 1, 1, 0),
        ("cards", "1", "champion", "event_time", NOW, 0.5, 1, 1, 0),
    ]
    update = expire_truths(
        state, window_ms=1000, retention_ms=10_000, watermark_ms=1_700_055_010_000, nothing_on_its_way=True
    )
    assert update.forgotten == 1


@pytest.mark.parametrize("state", [{"\x00shard": SHARD_2.replace(b":2,", b":3,", 1)}, {"t1": b"\x03" + RECORD_2[1:]}])
def test_a_newer_schema_is_refused_in_a_sentence(state):
    items = [{
        "kind": "prediction", "transaction_id": "t1", "event_time_ms": NOW, "model": "cards", "version": "1",
        "role": "champion", "score": 0.75, "excluded": False,
    }]  # fmt: skip
    with pytest.raises(JobError, match="has schema 3, this version reads schema 2; restore the savepoint with"):
        join_truths(items, state, window_ms=1000, retention_ms=10_000, watermark_ms=0)  # type: ignore[arg-type]


def test_the_greatest_truth_holds_in_whatever_order_they_are_told():
    record = OpenTransaction.decode(RECORD_2)
    record.learn(Telling(3, 4, NOW))
    record.learn(Telling(1, 0, NOW + 5))
    record.learn(Telling(3, 1, NOW))
    again = OpenTransaction.decode(record.encode())
    assert (again.outcome, len(again.tellings), again.predictions) == (4, 4, {0: (False, 0.25), 3: (True, 0.5)})


def test_a_truth_takes_the_place_of_a_presumed_label():
    record = _scored()
    record.presumed = True
    assert OpenTransaction.decode(record.encode()).outcome == 5
    record.learn(Telling(0, 1, NOW))
    assert (record.outcome, record.presumed) == (1, False)


def test_a_record_keeps_the_greatest_truths_when_it_is_told_too_many():
    record = _scored()
    for revision in range(200):
        record.learn(Telling(revision, 1, NOW))
    assert not record.learn(Telling(0, 0, NOW))
    assert [told.revision for told in record.tellings] == list(range(200 - MOST_TELLINGS, 200))
    assert len(record.encode()) < 1200
