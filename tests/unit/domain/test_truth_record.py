"""The bytes of the truth join's state: old ones still decode, and they are as few as stated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.domain.truth_join import expire_truths, join_truths
from udfs.domain.truth_record import OpenTransaction

NOW = 1_700_000_000_000
RECORD_1 = bytes.fromhex(
    "010b0068e5cf8b0100000200000000000000a0eee6cf8b0100000000000000000000000000d03f0300000001000000000000e03f"
)
SHARD_1 = b'{"schema":1,"clock_ms":1700000000000,"names":[["cards","1","champion"]],"due":[[1700055000000,1]]}'
PIECE_1 = b'["t1"]'


def _scored(score: float = 0.25) -> OpenTransaction:
    record = OpenTransaction(NOW)
    record.predictions[0] = (False, score)
    return record


def _record() -> OpenTransaction:
    record = _scored()
    record.learn(1, intervened=False, revision=2, truth_time_ms=NOW + 100_000)
    record.predictions[3] = (True, 0.5)
    return record


def _told(record: OpenTransaction) -> tuple:
    return record.event_time_ms, record.outcome, record.revision, record.truth_time_ms, record.predictions


def test_a_record_of_schema_1_decodes_and_is_still_written_so():
    assert _told(OpenTransaction.decode(RECORD_1)) == (NOW, 1, 2, NOW + 100_000, {0: (False, 0.25), 3: (True, 0.5)})
    assert _record().encode() == RECORD_1


def test_a_record_is_23_bytes_with_a_prediction_and_52_with_two_and_a_truth():
    assert len(_scored().encode()) == 23
    assert len(_record().encode()) == 52


@given(
    predictions=st.dictionaries(
        st.integers(0, 2**32 - 1), st.tuples(st.booleans(), st.floats(allow_nan=False)), max_size=5
    ),
    truth=st.none() | st.tuples(st.integers(0, 1), st.booleans(), st.integers(-(2**63), 2**63 - 1)),
    event_time_ms=st.integers(0, 2**62),
)
def test_any_record_comes_back_as_it_was(predictions, truth, event_time_ms):
    record = OpenTransaction(event_time_ms)
    record.predictions |= predictions
    if truth is not None:
        record.learn(truth[0], intervened=truth[1], revision=truth[2], truth_time_ms=5)
    again = OpenTransaction.decode(record.encode())
    assert _told(again) == _told(record)
    assert again.encode() == record.encode()


def test_state_of_schema_1_joins_on():
    state = {
        "\x00shard": SHARD_1,
        "\x00due/1700055000000/0": PIECE_1,
        "t1": _scored(0.5).encode(),
    }
    truth = {
        "kind": "truth", "transaction_id": "t1", "label": 1, "revision": 1, "truth_time_ms": NOW, "event_time_ms": NOW,
        "customer_id": "c", "terminal_id": None, "intervened": False,
    }  # fmt: skip
    update = join_truths([truth], state, window_ms=1000, retention_ms=10_000, watermark_ms=0)  # type: ignore[list-item]
    assert update.changes == [("cards", "1", "champion", "event_time", NOW, 0.5, 1, 1)]
    update = expire_truths(state, retention_ms=10_000, watermark_ms=1_700_055_010_000, nothing_on_its_way=True)
    assert update.forgotten == 1


@pytest.mark.parametrize("state", [{"\x00shard": SHARD_1.replace(b":1,", b":2,", 1)}, {"t1": b"\x02" + RECORD_1[1:]}])
def test_a_newer_schema_is_refused_in_a_sentence(state):
    items = [{
        "kind": "prediction", "transaction_id": "t1", "event_time_ms": NOW, "model": "cards", "version": "1",
        "role": "champion", "score": 0.75, "excluded": False,
    }]  # fmt: skip
    with pytest.raises(ValueError, match="has schema 2; this program reads schema 1"):
        join_truths(items, state, window_ms=1000, retention_ms=10_000, watermark_ms=0)  # type: ignore[arg-type]


def test_a_truth_in_place_of_another_keeps_the_predictions():
    record = OpenTransaction.decode(RECORD_1)
    record.learn(0, intervened=True, revision=3, truth_time_ms=NOW)
    assert _told(OpenTransaction.decode(record.encode())) == (NOW, 4, 3, NOW, {0: (False, 0.25), 3: (True, 0.5)})
