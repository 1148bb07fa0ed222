"""What each threshold costs and brings: alerts a day against frauds and fraud value caught."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["ThresholdRow", "threshold_table"]

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class ThresholdRow:
    """One threshold.

    Parameters
    ----------
    alerts_per_day
        How many alerts a day were allowed.
    threshold
        The lowest score that keeps to it; None where even the highest score raises more.
    alerts
        Transactions at or above it.
    caught
        Frauds among them, as far as truth is known.
    missed
        Known frauds below it.
    value_caught, value_missed
        Their amounts.
    precision
        Frauds among the alerts whose truth is known; None without such.
    """

    alerts_per_day: float
    threshold: float | None
    alerts: int
    caught: int
    missed: int
    value_caught: float
    value_missed: float
    precision: float | None


def threshold_table(
    scores: npt.NDArray[np.float64],
    labels: npt.NDArray[np.int64],
    amounts: npt.NDArray[np.float64],
    *,
    span_ms: int,
    alerts_per_day: Sequence[float],
) -> list[ThresholdRow]:
    """Return a row for each number of alerts a day.

    Parameters
    ----------
    scores, amounts
        One for each transaction.
    labels
        1 for fraud, 0 for genuine, -1 where no truth is known.
    span_ms
        Event time the transactions cover, milliseconds.
    alerts_per_day
        How many are allowed on average over that time.

    Examples
    --------
    >>> row, = threshold_table(np.array([0.9, 0.8, 0.8, 0.1]), np.array([1, 0, 1, 0]), np.array([50.0, 9, 20, 5]),
    ...                        span_ms=DAY_MS, alerts_per_day=[2])
    >>> row.threshold, row.alerts, row.caught, row.value_caught, row.value_missed
    (0.9, 1, 1, 50.0, 20.0)
    """
    distinct, counts = np.unique(scores, return_counts=True)
    reached = counts[::-1].cumsum()[::-1]  # how many score at least this much; falls along the scores
    fraud = labels == 1
    rows = []
    for allowed in alerts_per_day:
        first = int(np.searchsorted(-reached, -allowed * span_ms / DAY_MS, side="left"))
        threshold = float(distinct[first]) if first < len(distinct) else None
        alert = scores >= threshold if threshold is not None else np.zeros(len(scores), dtype=np.bool_)
        known = int((alert & (labels >= 0)).sum())
        caught = int((alert & fraud).sum())
        rows.append(
            ThresholdRow(
                alerts_per_day=allowed,
                threshold=threshold,
                alerts=int(alert.sum()),
                caught=caught,
                missed=int((~alert & fraud).sum()),
                value_caught=float(amounts[alert & fraud].sum()),
                value_missed=float(amounts[~alert & fraud].sum()),
                precision=caught / known if known else None,
            )
        )
    return rows
