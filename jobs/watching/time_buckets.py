"""What happened when, in a bounded number of buckets that widen as the time they span grows."""

from __future__ import annotations

from typing import Any

from jobs.watching.latency_histogram import LatencyHistogram

__all__ = ["TimeBuckets"]

MOST_BUCKETS = 180


class _Bucket:
    __slots__ = ("dead", "late", "latency", "scored")

    def __init__(self) -> None:
        self.scored = self.late = self.dead = 0
        self.latency = LatencyHistogram()


class TimeBuckets:
    """Counts of scored, late and dead transactions, and their latency, by the time they came in.

    Examples
    --------
    >>> buckets = TimeBuckets()
    >>> for second in range(400):
    ...     buckets.scored(second * 1_000, late=second == 7, latency_ms=40)
    >>> document = buckets.document()
    >>> document["bucket_ms"], len(document["points"]), document["points"][0][:4]
    (4000, 100, [0, 4, 0, 0])
    """

    def __init__(self) -> None:
        self._width_ms = 1_000
        self._buckets: dict[int, _Bucket] = {}

    def scored(self, time_ms: int, *, late: bool, latency_ms: float) -> None:
        """Count a transaction that came at a time and was answered so much later."""
        bucket = self._at(time_ms)
        bucket.scored += 1
        bucket.late += late
        bucket.latency.update(latency_ms)

    def dead(self, time_ms: int) -> None:
        """Count a dead letter."""
        self._at(time_ms).dead += 1

    def document(self) -> dict[str, Any]:
        """Return ``bucket_ms`` and ``points`` of [time_ms, scored, late, dead, p50_ms, p99_ms], in order."""
        points = []
        for start in sorted(self._buckets):
            each = self._buckets[start]
            quantiles = [each.latency.quantile(0.5), each.latency.quantile(0.99)]
            points.append([start, each.scored, each.late, each.dead, *quantiles])
        return {"bucket_ms": self._width_ms, "points": points}

    def _at(self, time_ms: int) -> _Bucket:
        start = time_ms - time_ms % self._width_ms
        bucket = self._buckets.get(start)
        if bucket is None:
            bucket = self._buckets[start] = _Bucket()
            if len(self._buckets) > MOST_BUCKETS:
                self._widen()
                return self._at(time_ms)
        return bucket

    def _widen(self) -> None:
        self._width_ms *= 2
        before, self._buckets = self._buckets, {}
        for time_ms, each in before.items():
            into = self._buckets.setdefault(time_ms - time_ms % self._width_ms, _Bucket())
            into.scored, into.late, into.dead = into.scored + each.scored, into.late + each.late, into.dead + each.dead
            into.latency.add(each.latency)
