"""ROC AUC and average precision of scores whose labels are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["ranking_figures"]


def ranking_figures(scores: npt.NDArray[Any], labels: npt.NDArray[Any]) -> tuple[float | None, float | None]:
    """Return ROC AUC and average precision; None for both where a class is missing.

    Parameters
    ----------
    scores
        Larger means more likely fraud.
    labels
        0 or 1, one for each score.

    Examples
    --------
    >>> ranking_figures(np.array([0.1, 0.9, 0.5]), np.array([0, 1, 0]))
    (1.0, 1.0)
    """
    if len(np.unique(labels)) < 2:
        return None, None
    from sklearn.metrics import average_precision_score, roc_auc_score  # slow to import; only training pays

    return float(roc_auc_score(labels, scores)), float(average_precision_score(labels, scores))
