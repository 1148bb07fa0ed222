"""The demo's own count of scores and truths, and the rows of the job it is compared with."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kafka.record import Record
from jobs.demo.quality_rows import QualityRows
from jobs.demo.tally import tally_of
from udfs.domain.window import LIFE_END_MS


def inference(name: str, version: str | None, score: float | None, **other) -> dict:
    return {
        "transaction_id": name, "event_time_ms": 50, "model": "fraud", "version": version, "role": "champion",
        "digest": f"d{version}", "score": score, "excluded": False, "deployment_seq": int(version or 0),
        "ingestion_time_ms": 1_000, "prediction_time_ms": 1_010, **other,
    }  # fmt: skip


def truth(name: str, label: int, revision: int = 0) -> dict:
    return {
        "transaction_id": name, "label": label, "revision": revision, "truth_time_ms": 60, "event_time_ms": 50,
        "customer_id": "c",
    }  # fmt: skip


def topics(**values):
    """Return a reader of topics that hold these values, appended at 1100 ms and then a millisecond apart."""

    def read(topic, from_offsets=None):
        start = (from_offsets or {}).get(0, 0)
        for offset, value in list(enumerate(values.get(topic, ())))[start:]:
            yield Record(0, offset, 1_100 + offset, None, orjson.dumps(value))

    return read


def test_scores_are_counted_by_version_with_their_newest_truth():
    read = topics(
        truths=[
            truth("a", 0),
            truth("b", 0),
            truth("b", 1, revision=1),
            truth("b", 0),
            truth("c", 1) | {"label": "1"},  # refused by the job, so no label here
            {"control": "close"},
        ],
        inferences=[
            inference("a", "1", 0.2),
            inference("b", "1", 0.9, prediction_time_ms=1_020),
            inference("c", "1", 0.5),
            inference("d", "1", 0.4, excluded=True),
            inference("a", "2", 0.7, role="challenger"),
            inference("e", "2", 0.7, event_time_ms=80, prediction_time_ms=1_030),
            inference("f", None, None),
        ],
    )
    tally = tally_of(read)
    first, second = tally.versions.values()
    assert (first.version, first.scored, first.excluded, first.positives, first.negatives) == ("1", 4, 1, 1, 1)
    assert (first.roc_auc(), second.roc_auc()) == (1.0, None)
    assert (second.first_seq, second.first_append_ms, second.first_event_ms) == (2, 1_105, 80)
    assert (first.digests, second.digests) == ({"d1"}, {"d2"})
    assert list(tally.appended_ms) == [100, 101, 102, 103, 105, 106]
    assert tally.events_per_s == pytest.approx(6 / 0.106)
    assert tally.scored_after(1_015) == {"1": 1, "2": 1}


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1)), min_size=1, max_size=40))
def test_its_roc_auc_is_the_share_of_pairs_in_the_right_order(scored):
    names = [str(n) for n in range(len(scored))]
    read = topics(
        truths=[truth(name, label) for name, (_, label) in zip(names, scored, strict=True)],
        inferences=[inference(name, "1", score / 5) for name, (score, _) in zip(names, scored, strict=True)],
    )
    pairs = [(p > n) + (p == n) / 2 for p, is_p in scored for n, is_n in scored if is_p and not is_n]
    expected = sum(pairs) / len(pairs) if pairs else None
    assert tally_of(read).versions["1"].roc_auc() == pytest.approx(expected)


def row(version="1", revision=1, start=0, end=LIFE_END_MS, **other) -> dict:
    return {
        "version": version, "role": "champion", "series": "event_time", "window_start_ms": start, "window_end_ms": end,
        "revision": revision, "scored": 1, "excluded": 1, "labelled": 1, "final": False, **other,
    }  # fmt: skip


def settling(*rows):
    read = topics(
        truths=[truth("a", 1)],
        inferences=[inference("a", "1", 0.2), inference("b", "1", 0.2, excluded=True)],
        model_quality=rows,
    )
    quality = QualityRows(read)
    quality.update()
    return quality, tally_of(read).versions


def test_quality_is_settled_when_it_accounts_for_every_score_and_truth_and_all_windows_are_final():
    quality, versions = settling(row(), row(start=10, end=20), row(start=10, end=20, revision=2, final=True))
    assert quality.unsettled(versions, windows_close=True) == ""
    assert quality.life("1")["revision"] == 1
    assert len(quality.rows()) == 2


@pytest.mark.parametrize(
    ("rows", "missing"),
    [
        ((), "version 1: 0 of 1 scores counted"),
        ((row(scored=0),), "version 1: 0 of 1 scores counted"),
        ((row(excluded=0),), "version 1: 1 of 1 scores counted"),
        ((row(labelled=0),), "version 1: 0 of 1 truths counted"),
        ((row(), row(start=10, end=20)), "0 of 1 windows final"),
    ],
)
def test_what_is_still_to_come_is_said(rows, missing):
    quality, versions = settling(*rows)
    assert quality.unsettled(versions, windows_close=True) == missing


def test_windows_need_not_be_final_where_the_stream_does_not_close_them():
    quality, versions = settling(row(), row(start=10, end=20))
    assert quality.unsettled(versions, windows_close=False) == ""


def test_an_older_revision_that_comes_later_changes_nothing():
    quality, _ = settling(row(revision=3, scored=9), row(revision=2))
    assert quality.life("1")["scored"] == 9
