"""Compares the ROC AUCs of scores on the same transactions: DeLong's covariance and paired interval.

DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two or more correlated receiver operating
characteristic curves: a nonparametric approach. Biometrics 1988;44:837-845. Computed by midranks in O(n log n), after Sun
X, Xu W. Fast implementation of DeLong's algorithm for comparing the areas under correlated receiver operating
characteristic curves. IEEE Signal Processing Letters 2014;21:1389-1393.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

__all__ = ["AucComparison", "compare_aucs"]


@dataclass(frozen=True, slots=True)
class AucComparison:
    """Two ROC AUCs on the same labelled transactions, and their difference.

    Parameters
    ----------
    auc_a, auc_b
        Mann-Whitney, ties at one half.
    difference
        ``auc_a - auc_b``.
    variance_a, variance_b, covariance
        DeLong's; NaN with fewer than two of a class.
    low, high
        The interval of the difference, within -1..1. None where there is no variance to be had: fewer than two of a class,
        or perfect separation by both in opposite ways.
    p_value
        Of the hypothesis that both areas are equal, two-sided; 1.0 where the difference and its variance are 0, and None
        without an interval.
    """

    auc_a: float
    auc_b: float
    difference: float
    variance_a: float
    variance_b: float
    covariance: float
    low: float | None
    high: float | None
    p_value: float | None


def compare_aucs(
    scores_a: npt.ArrayLike, scores_b: npt.ArrayLike, labels: npt.ArrayLike, confidence: float = 0.95
) -> AucComparison:
    """Compare two scores of the same transactions.

    Parameters
    ----------
    scores_a, scores_b
        Finite numbers, one per transaction; larger means more likely fraud.
    labels
        1 for fraud, 0 for genuine.
    confidence
        Of the interval, in (0, 1).

    Raises
    ------
    ValueError
        If the lengths differ, a class is missing, a score is not finite, or a label is neither 0 nor 1.

    Examples
    --------
    >>> found = compare_aucs([1, 2, 3, 4, 5, 6], [1, 3, 2, 6, 4, 5], [0, 0, 1, 0, 1, 1])
    >>> round(found.auc_a, 4), round(found.auc_b, 4), round(found.difference, 4)
    (0.8889, 0.5556, 0.3333)
    """
    scores = np.array([np.asarray(scores_a, dtype=np.float64), np.asarray(scores_b, dtype=np.float64)])
    known = np.asarray(labels)
    if known.shape != scores.shape[1:] or not np.isfinite(scores).all() or not np.isin(known, (0, 1)).all():
        msg = f"scores must be finite and labels 0 or 1, one each: got shapes {scores.shape} and {known.shape}"
        raise ValueError(msg)
    positives, negatives = scores[:, known == 1], scores[:, known == 0]
    if not positives.shape[1] or not negatives.shape[1]:
        msg = f"both classes are needed, got {positives.shape[1]} of 1 and {negatives.shape[1]} of 0"
        raise ValueError(msg)
    aucs, covariance = _structure(positives, negatives)
    difference = float(aucs[0] - aucs[1])
    spread = float(covariance[0, 0] + covariance[1, 1] - 2.0 * covariance[0, 1])
    low, high, p_value = _interval(difference, spread, confidence)
    return AucComparison(
        auc_a=float(aucs[0]),
        auc_b=float(aucs[1]),
        difference=difference,
        variance_a=float(covariance[0, 0]),
        variance_b=float(covariance[1, 1]),
        covariance=float(covariance[0, 1]),
        low=low,
        high=high,
        p_value=p_value,
    )


def _structure(
    positives: npt.NDArray[np.float64], negatives: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the areas and their covariance from the structural components (one per transaction)."""
    m, n = positives.shape[1], negatives.shape[1]
    joint = np.array([_midranks(row) for row in np.concatenate([positives, negatives], axis=1)])
    # How many of the other class a transaction beats, as a share: the components V10 and V01 of the paper.
    v10 = (joint[:, :m] - np.array([_midranks(row) for row in positives])) / n
    v01 = 1.0 - (joint[:, m:] - np.array([_midranks(row) for row in negatives])) / m
    if m < 2 or n < 2:
        return v10.mean(axis=1), np.full((2, 2), np.nan)
    return v10.mean(axis=1), np.cov(v10) / m + np.cov(v01) / n


def _midranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the ranks from 1 on; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: npt.NDArray[np.float64] = (last - (counts - 1) / 2.0)[inverse]
    return ranks


def _interval(difference: float, variance: float, confidence: float) -> tuple[float | None, float | None, float | None]:
    # A difference without variance (both separate perfectly, in opposite ways) is no certainty: the method has no answer.
    if math.isnan(variance) or (variance <= 0.0 and difference != 0.0):
        return None, None, None
    normal, error = NormalDist(), math.sqrt(max(variance, 0.0))
    reach = normal.inv_cdf(0.5 + confidence / 2.0) * error
    p_value = 1.0 if error == 0.0 else 2.0 * normal.cdf(-abs(difference) / error)
    return max(-1.0, difference - reach), min(1.0, difference + reach), p_value
