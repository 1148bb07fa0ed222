"""Thresholds against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.domain.threshold_table import DAY_MS, threshold_table

ROWS = st.lists(
    st.tuples(st.integers(0, 8).map(lambda x: x / 8), st.sampled_from([-1, 0, 1]), st.integers(1, 500)),
    min_size=1,
    max_size=40,
)


def oracle(rows, allowed):
    """Try every score there is, the lowest first."""
    for threshold in sorted({score for score, _, _ in rows}):
        alerts = [row for row in rows if row[0] >= threshold]
        if len(alerts) <= allowed:
            caught = [row for row in alerts if row[1] == 1]
            return threshold, len(alerts), len(caught), sum(row[2] for row in caught)
    return None, 0, 0, 0


@given(ROWS, st.integers(0, 45), st.sampled_from([1, 2, 10]))
def test_a_threshold_is_the_lowest_that_keeps_to_the_alerts_a_day(rows, alerts_per_day, days):
    scores, labels, amounts = (np.array(each) for each in zip(*rows, strict=True))
    (row,) = threshold_table(scores, labels, amounts, span_ms=days * DAY_MS, alerts_per_day=[alerts_per_day])
    assert (row.threshold, row.alerts, row.caught, row.value_caught) == oracle(rows, alerts_per_day * days)
    frauds = [amount for _, label, amount in rows if label == 1]
    assert row.caught + row.missed == len(frauds)
    assert row.value_caught + row.value_missed == pytest.approx(sum(frauds))


def test_alerts_without_a_truth_are_alerts_and_no_part_of_the_precision():
    (row,) = threshold_table(
        np.array([0.9, 0.8, 0.7, 0.1]), np.array([1, -1, 0, 0]), np.ones(4), span_ms=DAY_MS, alerts_per_day=[3]
    )
    assert (row.alerts, row.caught, row.precision) == (3, 1, 0.5)


def test_more_alerts_a_day_never_catch_less():
    rng = np.random.default_rng(1)
    scores, labels = rng.random(500), (rng.random(500) < 0.1).astype(np.int64)
    table = threshold_table(scores, labels, rng.random(500), span_ms=5 * DAY_MS, alerts_per_day=range(1, 101))
    caught = [row.value_caught for row in table]
    assert caught == sorted(caught)
    assert table[-1].caught == labels.sum()
