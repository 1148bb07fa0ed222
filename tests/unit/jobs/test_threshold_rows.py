"""Thresholds of a real version on generated transactions, against its own scores counted by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from connectors.data.dataset import open_dataset
from jobs.comparison import scores_of
from jobs.threshold_rows import ThresholdRows
from jobs.training.train_artifact import train_artifact
from jobs.training.training_examples import examples_of
from model_store.compiled_scorer import load_scorer
from udfs.domain.errors import SettingsError
from udfs.domain.feature_set import FEATURE_SETS

FEATURES = FEATURE_SETS["handbook"]
DATASET = open_dataset("generator", rows=1_500, seed=2)


@pytest.fixture(scope="module")
def scorer():
    return load_scorer(train_artifact(DATASET.part(0, 700), FEATURES, algorithm="logistic-regression").artifact)


def test_what_the_version_was_trained_on_does_not_count(scorer):
    examples = list(examples_of(DATASET, FEATURES))
    new = [each for each in examples if each.event_time_ms > scorer.header["trained_until_ms"]]
    found = ThresholdRows.of(scorer, examples, [1, 5, 1_000_000])
    assert (found.scored, found.excluded) == (len(new), len(examples) - len(new))
    scores, labels = scores_of(scorer, new), np.array([each.label for each in new])
    amounts = np.array([each.vector["TX_AMOUNT"] for each in new])
    for row in found.rows:
        alert = scores >= row.threshold
        assert row.alerts == alert.sum() <= row.alerts_per_day * found.days
        assert row.caught == (alert & (labels == 1)).sum()
        assert row.value_caught == pytest.approx(amounts[alert & (labels == 1)].sum())
    assert found.rows[-1].caught == found.frauds > 0


def test_transactions_of_one_moment_have_no_day(scorer):
    one = replace(next(iter(examples_of(DATASET, FEATURES))), event_time_ms=2**42)
    with pytest.raises(SettingsError, match="no time passes"):
        ThresholdRows.of(scorer, [one, one], [1])
