"""Counts durations in bins that grow with them, so that quantiles of millions fit in a few numbers and can be added."""

from __future__ import annotations

import math
from collections import Counter

__all__ = ["LatencyHistogram"]

BINS_PER_DOUBLING = 8


class LatencyHistogram:
    """Durations in milliseconds; a quantile is within 9 % of the true one.

    Examples
    --------
    >>> histogram = LatencyHistogram()
    >>> for ms in range(1, 1001):
    ...     histogram.update(ms)
    >>> histogram.quantile(0.5), histogram.quantile(0.99), LatencyHistogram().quantile(0.5)
    (489, 980, None)
    """

    __slots__ = ("_bins",)

    def __init__(self) -> None:
        self._bins: Counter[int] = Counter()

    def update(self, duration_ms: float) -> None:
        """Count one duration; a negative one, of clocks that differ, counts as 0."""
        self._bins[math.ceil(BINS_PER_DOUBLING * math.log2(max(0.0, duration_ms) + 1.0))] += 1

    def add(self, other: LatencyHistogram) -> None:
        """Take in all that another one counted."""
        self._bins.update(other._bins)

    def quantile(self, share: float) -> int | None:
        """Return the duration that this share does not exceed, milliseconds; None without any."""
        total, seen = sum(self._bins.values()), 0
        for index in sorted(self._bins):
            seen += self._bins[index]
            if seen >= share * total:
                return round(2 ** ((index - 0.5) / BINS_PER_DOUBLING) - 1.0) if index else 0
        return None
