"""DeLong's comparison against the paper's double sums, a bootstrap, and what must not matter."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from udfs.domain.delong import compare_aucs


def kernel(positive: float, negative: float) -> float:
    return 1.0 if positive > negative else 0.5 if positive == negative else 0.0


def oracle(scores, labels):
    """Equations 2 to 6 of DeLong et al. (1988) as they are printed: areas, and S10 / m + S01 / n."""
    areas, v10, v01 = [], [], []
    for one in scores:
        xs = [score for score, label in zip(one, labels, strict=True) if label == 1]
        ys = [score for score, label in zip(one, labels, strict=True) if label == 0]
        areas.append(sum(kernel(x, y) for x, y in product(xs, ys)) / (len(xs) * len(ys)))
        v10.append([sum(kernel(x, y) for y in ys) / len(ys) for x in xs])
        v01.append([sum(kernel(x, y) for x in xs) / len(xs) for y in ys])
    m, n = len(v10[0]), len(v01[0])
    covariance = [
        [
            sum((a - areas[r]) * (b - areas[s]) for a, b in zip(v10[r], v10[s], strict=True)) / (m - 1) / m
            + sum((a - areas[r]) * (b - areas[s]) for a, b in zip(v01[r], v01[s], strict=True)) / (n - 1) / n
            for s in (0, 1)
        ]
        for r in (0, 1)
    ]
    return areas, covariance


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 1)), min_size=4, max_size=40))
def test_areas_and_covariance_are_the_papers_with_many_ties(rows):
    a, b, labels = (list(each) for each in zip(*rows, strict=True))
    assume(2 <= sum(labels) <= len(labels) - 2)
    areas, covariance = oracle([a, b], labels)
    found = compare_aucs(a, b, labels)
    assert (found.auc_a, found.auc_b) == pytest.approx(areas, abs=1e-12)
    assert found.variance_a == pytest.approx(covariance[0][0], abs=1e-12)
    assert found.variance_b == pytest.approx(covariance[1][1], abs=1e-12)
    assert found.covariance == pytest.approx(covariance[0][1], abs=1e-12)
    assume(found.low is not None)
    spread = max(0.0, covariance[0][0] + covariance[1][1] - 2 * covariance[0][1])
    reach = 1.959963984540054 * math.sqrt(spread)
    assert found.low == pytest.approx(max(-1, areas[0] - areas[1] - reach), abs=1e-6)
    assert found.high == pytest.approx(min(1, areas[0] - areas[1] + reach), abs=1e-6)


def correlated(rng, positives, negatives, shift_a, shift_b):
    """Two noisy views of one truth."""
    labels = np.repeat([1, 0], [positives, negatives])
    common = rng.normal(size=len(labels))
    a = common + rng.normal(size=len(labels)) + shift_a * labels
    b = common + rng.normal(size=len(labels)) + shift_b * labels
    return a, b, labels


def test_the_interval_is_the_bootstraps():
    rng = np.random.default_rng(1)
    a, b, labels = correlated(rng, 80, 320, 1.5, 1.0)
    found = compare_aucs(a, b, labels)
    ones, zeros = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)

    def difference(drawn):
        wins = [
            (row[drawn[0]][:, None] > row[drawn[1]]).mean() + (row[drawn[0]][:, None] == row[drawn[1]]).mean() / 2
            for row in (a, b)
        ]
        return wins[0] - wins[1]

    resampled = [difference((rng.choice(ones, len(ones)), rng.choice(zeros, len(zeros)))) for _ in range(2_000)]
    assert np.std(resampled) == pytest.approx((found.high - found.low) / 2 / 1.96, rel=0.08)
    assert np.quantile(resampled, [0.025, 0.975]) == pytest.approx([found.low, found.high], abs=0.012)


def test_the_interval_holds_the_truth_nineteen_times_in_twenty_and_equal_scores_are_seldom_told_apart():
    rng = np.random.default_rng(2)
    held = apart = 0
    for _ in range(600):
        found = compare_aucs(*correlated(rng, 40, 160, 1.0, 1.0))
        held += found.low <= 0.0 <= found.high
        apart += found.p_value < 0.05
    assert 0.92 <= held / 600 <= 0.98
    assert apart == 600 - held


def test_the_same_scores_do_not_differ_and_order_and_scale_do_not_matter():
    rng = np.random.default_rng(3)
    a, b, labels = correlated(rng, 30, 50, 1.0, 0.2)
    same = compare_aucs(a, a, labels)
    assert (same.difference, same.p_value) == (0.0, 1.0)
    assert same.low == pytest.approx(0.0, abs=1e-7)
    found, swapped = compare_aucs(a, b, labels), compare_aucs(b, a, labels)
    assert (swapped.difference, swapped.low) == pytest.approx((-found.difference, -found.high))
    order = rng.permutation(len(labels))
    moved = compare_aucs(np.exp(a)[order], 3 * b[order] - 7, labels[order])
    assert (moved.low, moved.high, moved.p_value) == pytest.approx((found.low, found.high, found.p_value))


def test_one_fraud_has_areas_and_no_interval():
    found = compare_aucs([3, 1, 2], [1, 3, 2], [1, 0, 0])
    assert (found.auc_a, found.auc_b) == (1.0, 0.0)
    assert (found.low, found.high, found.p_value) == (None, None, None)


def test_perfect_separation_in_opposite_ways_has_no_interval_rather_than_a_certain_one():
    found = compare_aucs([4, 3, 2, 1], [1, 2, 3, 4], [1, 1, 0, 0])
    assert (found.difference, found.low, found.high, found.p_value) == (1.0, None, None, None)


@pytest.mark.parametrize(
    ("a", "labels"),
    [([1.0, 2.0], [0, 0]), ([1.0, 2.0], [1, 1]), ([1.0, math.nan], [0, 1]), ([1.0, 2.0], [0, 2]), ([1.0], [0, 1])],
)
def test_what_cannot_be_compared_is_an_error(a, labels):
    with pytest.raises(ValueError, match="got"):
        compare_aucs(a, a, labels)
