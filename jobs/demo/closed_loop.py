"""How fast the demo streams: as fast as the job keeps up with, whatever the machine and however cold the job."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["ClosedLoop"]

LOOK_S = 1.0
FIRST_RATE, LOWEST_RATE = 150.0, 25.0
QUICK_MS, SLOW_MS = 250, 450
UP, DOWN = 1.12, 0.6
SILENT_S = 6.0
"""Answers are seen when they are committed, so for a checkpoint or two none may come; after this the job is behind."""


class ClosedLoop:
    """A rate that rises while answers are quick and falls when they are not (additive would take too long to find it).

    Parameters
    ----------
    limit
        Transactions a second at most; may be changed at any time.

    Attributes
    ----------
    rate
        Transactions a second from now on.

    Examples
    --------
    >>> loop = ClosedLoop(1_600)
    >>> loop.look(1.0, [40] * 100), loop.look(1.5, [40] * 100), round(loop.look(2.1, [2_000] * 100), 1)
    (168.0, 168.0, 100.8)
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.rate = min(FIRST_RATE, limit)
        self._looked_s, self._answered_s = 0.0, 0.0
        self._latencies_ms: list[int] = []

    def look(self, now_s: float, latencies_ms: Sequence[int]) -> float:
        """Take the latencies that were seen since the last call, and return the rate to go on at.

        Parameters
        ----------
        now_s
            Seconds since the stream began.
        latencies_ms
            Of each new answer: its append time minus that of its transaction, milliseconds.
        """
        self._latencies_ms.extend(latencies_ms)
        if now_s - self._looked_s >= LOOK_S:
            self._looked_s = now_s
            self._judge(now_s)
        return min(self.rate, self.limit)

    def _judge(self, now_s: float) -> None:
        if not self._latencies_ms:
            if now_s - self._answered_s > SILENT_S:
                self._answered_s = now_s
                self.rate = max(self.rate * DOWN, LOWEST_RATE)
            return
        self._answered_s = now_s
        slow_ms = float(np.percentile(self._latencies_ms, 90))
        self._latencies_ms.clear()
        if slow_ms > SLOW_MS:
            self.rate = max(self.rate * DOWN, LOWEST_RATE)
        elif slow_ms < QUICK_MS:
            self.rate = min(self.rate * UP, self.limit)
