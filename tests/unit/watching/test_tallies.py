"""What the page adds up, against the same sums made from the records at once."""

from __future__ import annotations

import random

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kafka.record import Record
from jobs.watching.drift import Drift, stability_index
from jobs.watching.latency_histogram import LatencyHistogram
from jobs.watching.score_counts import ScoreCounts
from jobs.watching.stream_tally import StreamTally
from jobs.watching.time_buckets import MOST_BUCKETS, TimeBuckets
from tests.unit.watching.story import DAY_MS, FIRST_DAY_MS, SWAP_DAY, alert, inference, messages, record, tally

MESSAGES = list(messages())


@pytest.fixture(scope="module")
def document():
    return tally().document()


def test_totals_are_those_of_the_records(document):
    champion = [each for topic, each in MESSAGES if topic == "inferences" and each["role"] == "champion"]
    totals = document["totals"]
    assert totals["scored"] == len(champion)
    assert totals["late"] == sum(each["late"] for each in champion)
    assert totals["alerts"] == sum(topic == "alerts" for topic, _ in MESSAGES)
    assert totals["dead_letters"] == sum(topic == "dead_letters" for topic, _ in MESSAGES)
    assert totals["first_event_ms"] == min(each["event_time_ms"] for each in champion)
    assert sum(point[1] for point in document["flow"]["points"]) == len(champion)
    assert sum(point[3] for point in document["flow"]["points"]) == totals["dead_letters"]


def test_the_swap_is_where_the_new_champion_scored_first(document):
    assert document["swaps"] == [{"from": "1", "to": "2", "event_time_ms": FIRST_DAY_MS + SWAP_DAY * DAY_MS}]


def test_lines_of_quality_keep_their_gaps_and_their_newest_revision(document):
    lines = {(line["version"], line["role"]): line for line in document["quality"]}
    assert set(lines) == {("1", "champion"), ("2", "shadow"), ("2", "champion")}
    assert [window["roc_auc"] is None for window in lines["1", "champion"]["windows"]] == [day == 3 for day in range(8)]
    assert lines["1", "champion"]["lifetime"]["positives"] == 90
    assert document["truth"]["versions"][0]["label_delay_p50_ms"] == 6 * DAY_MS + 23 * 3_600_000


def test_the_newest_alerts_come_first_and_a_repeated_one_counts_once():
    made = StreamTally("fraud")
    alerts = [alert(inference(number, "champion", "1", 1, 0.97)) for number in range(30)]
    for each in (*alerts, *alerts[:5]):
        made.take("alerts", record(each))
    shown = made.document()
    assert shown["totals"]["alerts"] == 30
    assert [each["transaction_id"] for each in shown["alerts"]] == [f"42-{n:06d}" for n in range(29, 9, -1)]


def test_a_letter_that_is_written_twice_and_another_model_count_not():
    made = StreamTally("fraud")
    (letter,) = [each for topic, each in MESSAGES if topic == "dead_letters"][:1]
    for _ in range(2):
        made.take("dead_letters", record(letter))
    made.take("inferences", record(inference(1, "champion", "1", 1, 0.5, model="other")))
    made.take("inferences", Record(0, 0, 0, None, None))
    assert (made.document()["totals"]["dead_letters"], made.document()["totals"]["scored"]) == (1, 0)


def test_without_a_champion_it_counts_what_has_no_score():
    made = StreamTally("fraud")
    made.take("inferences", record(inference(1, "champion", "", 0, None, reason="no_champion")))
    document = made.document()
    assert (document["totals"]["null_scores"], document["swaps"], document["scores"]["lines"]) == (1, [], [])
    assert orjson.dumps(document)


@given(st.lists(st.floats(0, 1e7), min_size=1, max_size=200), st.sampled_from([0.0, 0.5, 0.9, 0.99, 1.0]))
def test_a_quantile_is_within_nine_per_cent(values, share):
    histogram, other = LatencyHistogram(), LatencyHistogram()
    for place, value in enumerate(values):
        (histogram if place % 2 else other).update(value)
    histogram.add(other)
    true = np.quantile(values, share, method="inverted_cdf") if share else min(values)
    assert histogram.quantile(share) == pytest.approx(true, rel=0.095, abs=1.0)


@given(st.lists(st.tuples(st.integers(0, 10**9), st.booleans()), max_size=300))
def test_buckets_lose_nothing_however_wide_they_become(events):
    buckets = TimeBuckets()
    for time_ms, late in events:
        buckets.scored(time_ms, late=late, latency_ms=10.0)
    document = buckets.document()
    width = document["bucket_ms"]
    assert len(document["points"]) <= MOST_BUCKETS
    for start, scored, late, _, _, _ in document["points"]:
        inside = [is_late for time_ms, is_late in events if start <= time_ms < start + width]
        assert (scored, late) == (len(inside), sum(inside))
    assert sum(point[1] for point in document["points"]) == len(events)


@given(st.lists(st.floats(-0.5, 1.5), min_size=1, max_size=300))
def test_shares_of_scores_are_a_whole(scores):
    counts = ScoreCounts()
    for score in scores:
        counts.update("1", "champion", score)
    document = counts.document()
    assert sum(document["lines"][0]["shares"]) == pytest.approx(1.0)
    assert 0.0 <= document["low"] < document["high"] <= 1.0


def test_scores_in_a_narrow_band_fill_the_range_that_is_shown():
    rng, counts = random.Random(1), ScoreCounts()
    for _ in range(5_000):
        counts.update("1", "champion", rng.uniform(0.95, 0.99))
    document = counts.document()
    assert 0.93 < document["low"] < 0.951
    assert 0.989 < document["high"] < 1.0


def test_drift_is_seen_where_it_is_and_a_new_champion_begins_anew():
    rng, drift = random.Random(1), Drift()
    for number in range(4_000):
        moved = 5.0 if number > 2_200 else 0.0
        drift.update({"version": "1", "score": rng.random(), "warming_up": False,
                      "features": {"still": rng.gauss(0, 1), "moved": rng.gauss(moved, 1)}})  # fmt: skip
    found = drift.document()
    assert [each["feature"] for each in found["features"]] == ["moved", "still"]
    assert found["features"][0]["index"] > 0.25
    assert found["features"][1]["index"] < 0.1
    assert found["score"] < 0.1
    drift.update({"version": "2", "score": 0.5, "warming_up": False, "features": {}})
    assert (drift.document()["version"], drift.document()["score"]) == ("2", None)


def test_the_index_of_samples_is_the_textbook_sum():
    rng = random.Random(3)
    first, second = [rng.gauss(0, 1) for _ in range(3_000)], [rng.gauss(0.4, 1.2) for _ in range(2_000)]
    edges = np.quantile(first, np.arange(1, 10) / 10)
    expected = 0.0
    for low, high in zip([-np.inf, *edges], [*edges, np.inf], strict=True):
        a = np.mean([low < each <= high for each in first])
        b = np.mean([low < each <= high for each in second])
        expected += (b - a) * np.log(b / a)
    assert stability_index(first, second) == pytest.approx(expected)
