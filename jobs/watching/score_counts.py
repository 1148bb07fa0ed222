"""How the scores of the versions are spread: fine counts per version, laid out over the range they really take."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["ScoreCounts"]

FINE = 1_920
SHOWN = 48
"""A divisor of the fine bins, so that equal bins never reach beyond them."""
OUTSIDE = 0.001
"""Share of the scores at either end that may lie outside the range shown; they count in its first and last bin."""


class ScoreCounts:
    """Counts of scores between 0 and 1, per version and role.

    Examples
    --------
    >>> counts = ScoreCounts()
    >>> for score in (0.5, 0.51, 0.52):
    ...     counts.update("1", "champion", score)
    >>> document = counts.document()
    >>> document["lines"][0]["version"], document["lines"][0]["count"], sum(document["lines"][0]["shares"])
    ('1', 3, 1.0)
    """

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * FINE)

    def update(self, version: str, role: str, score: float) -> None:
        """Count one score; one outside 0 and 1 counts at the end it lies beyond."""
        self._counts[version, role][min(FINE - 1, max(0, int(score * FINE)))] += 1

    def document(self) -> dict[str, Any]:
        """Return ``low``, ``high`` and ``lines``: per version and role its ``count`` and the ``shares`` of equal bins."""
        counts = {key: np.array(values, dtype=np.int64) for key, values in self._counts.items()}
        if not counts:
            return {"low": 0.0, "high": 1.0, "lines": []}
        low, width, bins = _range(np.sum(list(counts.values()), axis=0))
        high = low + width * bins
        lines = []
        for (version, role), values in counts.items():
            inside = values[low:high].copy()
            inside[0], inside[-1] = inside[0] + values[:low].sum(), inside[-1] + values[high:].sum()
            shares = inside.reshape(bins, width).sum(axis=1) / values.sum()
            lines.append({"version": version, "role": role, "count": int(values.sum()), "shares": shares.tolist()})
        return {"low": low / FINE, "high": high / FINE, "lines": lines}


def _range(total: npt.NDArray[np.int64]) -> tuple[int, int, int]:
    """Return where the bins that are shown begin, and their width and number; all but the outermost scores are inside."""
    share = np.cumsum(total) / total.sum()
    low = int(np.searchsorted(share, OUTSIDE, side="right"))
    high = int(np.searchsorted(share, 1.0 - OUTSIDE, side="left")) + 1
    margin = max(1, (high - low) // 20)
    low, high = max(0, low - margin), min(FINE, high + margin)
    width = -(-(high - low) // SHOWN)
    bins = -(-(high - low) // width)
    return min(low, FINE - width * bins), width, bins
