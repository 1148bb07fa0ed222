"""Average precision and recall at a fixed false-positive rate, from the counts per score that give the ROC AUC.

With rare fraud the ROC AUC says little about the top of the list, which is all that anyone looks at. Where scores were
merged into intervals the order within one is not known; each figure then has the greatest error that can make.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["PrecisionRecall", "precision_recall"]

Ints = NDArray[np.int64]


class PrecisionRecall(NamedTuple):
    """Both figures and their bounds; None where there are no positives or no negatives.

    Parameters
    ----------
    average_precision
        Sum of precision times gain of recall over all thresholds, from the highest score down; ties are one threshold,
        as in scikit-learn's ``average_precision_score``.
    average_precision_error
        The true value on the same scores lies within +- this; 0.0 means exact.
    recall
        The greatest share of positives that a threshold catches whose share of false positives stays within the rate.
    recall_error
        The true value lies at most this much above; 0.0 means exact.
    """

    average_precision: float | None
    average_precision_error: float | None
    recall: float | None
    recall_error: float | None


def precision_recall(
    positives: Ints, negatives: Ints, wide: NDArray[np.bool_], false_positive_rate: float
) -> PrecisionRecall:
    """Compute both figures.

    Parameters
    ----------
    positives, negatives
        Counts per score interval, by rising score.
    wide
        Which intervals hold more than one score.
    false_positive_rate
        Share of negatives that may be called positive, 0..1.

    Examples
    --------
    >>> precision_recall(np.array([0, 1, 0, 1]), np.array([1, 0, 1, 0]), np.zeros(4, bool), 0.0)[::2]
    (0.8333333333333333, 0.5)
    """
    all_positives, all_negatives = int(positives.sum()), int(negatives.sum())
    if all_positives <= 0 or all_negatives <= 0:
        return PrecisionRecall(None, None, None, None)
    hits, misses, wide = positives[::-1].astype(float), negatives[::-1].astype(float), wide[::-1]
    caught, called = np.cumsum(hits), np.cumsum(hits) + np.cumsum(misses)
    with np.errstate(divide="ignore", invalid="ignore"):
        tied = np.where(hits > 0, caught / called, 0.0)
        # in a wide interval no positive does better than behind no negative of it, nor worse than first behind all
        best = np.where(wide & (hits > 0), caught / (called - misses), tied)
        worst = np.where(wide & (hits > 0), (caught - hits + 1) / (called - hits + 1), tied)
    average = float(hits @ tied) / all_positives
    error = max(float(hits @ best) / all_positives - average, average - float(hits @ worst) / all_positives, 0.0)
    # how many intervals from the top stay within the rate
    last = int(np.searchsorted(np.cumsum(misses), false_positive_rate * all_negatives, side="right"))
    recall = float(caught[last - 1]) / all_positives if last else 0.0
    recall_error = float(hits[last]) / all_positives if last < len(hits) and wide[last] else 0.0
    return PrecisionRecall(average, error, recall, recall_error)
