"""The watermark of a while ago: behind it nothing is still held in a batching window or on its way.

A processing-time window lets the watermark overtake what it holds, and after a failure whole days of event time pass in a
second. What may only be done once nothing older can come goes by this, not by the watermark in hand.
"""

from __future__ import annotations

from collections import deque

__all__ = ["NEVER", "SettledWatermark"]

NEVER = -(2**63)
SAMPLES = 60


class SettledWatermark:
    """Remembers the watermarks of one subtask. It is not state: after a restart the while begins anew.

    Parameters
    ----------
    settle_ms
        How long ago, in processing time, milliseconds.

    Examples
    --------
    >>> settled = SettledWatermark(1_000)
    >>> [settled.at(now_ms, watermark_ms) for now_ms, watermark_ms in [(0, 5), (500, 6), (1_000, 7), (1_700, 9)]]
    [-9223372036854775808, -9223372036854775808, 5, 6]
    """

    def __init__(self, settle_ms: int) -> None:
        self._settle_ms = settle_ms
        self._seen: deque[tuple[int, int]] = deque()

    def at(self, now_ms: int, watermark_ms: int) -> int:
        """Note the watermark of now and return that of a while ago; of before the first one where there is none."""
        seen = self._seen
        if not seen or now_ms - seen[-1][0] >= self._settle_ms // SAMPLES:
            seen.append((now_ms, watermark_ms))
        while len(seen) > 1 and seen[1][0] <= now_ms - self._settle_ms:
            seen.popleft()
        return seen[0][1] if seen[0][0] <= now_ms - self._settle_ms else NEVER
