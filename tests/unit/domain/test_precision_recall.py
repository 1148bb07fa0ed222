"""Average precision and recall at a false-positive rate, from the ROC AUC's own counts, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_curve

from tests.unit.domain.test_roc_auc import KINDS, _sample
from udfs.domain.roc_auc import RocAuc


def _recall(labels, scores, rate: float) -> float:
    false, true, _ = roc_curve(labels, scores, drop_intermediate=False)
    return float(true[false <= rate].max())


@KINDS
@pytest.mark.parametrize("rate", [0.0, 0.001, 0.01, 0.2, 1.0])
def test_they_are_scikit_learns_while_exact(make, rate):
    scores, labels = _sample(make)
    auc = RocAuc(limit=10**6)
    auc.update_many(scores, labels)
    result = auc.precision_recall(rate)
    assert result.average_precision == pytest.approx(average_precision_score(labels, scores), abs=1e-12)
    assert result.recall == pytest.approx(_recall(labels, scores, rate), abs=1e-12)
    assert (result.average_precision_error, result.recall_error) == (0.0, 0.0)


@KINDS
@pytest.mark.parametrize("rate", [0.0, 0.001, 0.01, 0.2])
def test_merged_they_are_scikit_learns_within_their_bounds(make, rate):
    scores, labels = _sample(make)
    auc = RocAuc()
    for part in np.array_split(np.arange(len(scores)), 40):
        auc.update_many(scores[part], labels[part])
    result = auc.precision_recall(rate)
    true = average_precision_score(labels, scores)
    assert abs(result.average_precision - true) <= result.average_precision_error + 1e-12
    assert result.average_precision_error < 0.02
    assert -1e-12 <= _recall(labels, scores, rate) - result.recall <= result.recall_error + 1e-12
    assert result.recall_error <= 0.02


@given(
    pairs=st.lists(st.tuples(st.sampled_from([0.1 * at for at in range(30)]), st.booleans()), min_size=1, max_size=80),
    bins=st.integers(1, 8),
    rate=st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]),
)
def test_the_bounds_hold_for_any_scores_however_few_bins(pairs, bins, rate):
    auc = RocAuc(limit=bins, bins=bins)
    for score, label in pairs:
        auc.update(score, label)
    result = auc.precision_recall(rate)
    scores, labels = zip(*pairs, strict=True)
    if len(set(labels)) < 2:
        assert result == (None, None, None, None)
        return
    true = average_precision_score(labels, scores)
    assert abs(result.average_precision - true) <= result.average_precision_error + 1e-12
    assert -1e-12 <= _recall(labels, scores, rate) - result.recall <= result.recall_error + 1e-12
