"""By which rules predictions are gathered into windows of ``model_quality``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from udfs.domain.quality_change import EVENT_TIME
from udfs.domain.window import Window

__all__ = ["QualityRules"]


@dataclass(frozen=True, slots=True)
class QualityRules:
    """The settings of the quality stage; times in milliseconds.

    Parameters
    ----------
    window_ms
        Length of the tumbling windows; the truth join's.
    retention_ms
        How long truth is waited for; the truth join's.
    rolling_ms
        Length of the rolling windows, which end where tumbling ones end: a whole multiple of ``window_ms``. 0 is none.
    false_positive_rate
        At which recall is published, 0..1.
    """

    window_ms: int
    retention_ms: int
    rolling_ms: int = 0
    false_positive_rate: float = 0.01

    def windows_of(self, series: str, start_ms: int) -> Iterator[Window]:
        """Return every window but the whole life's that a change of the tumbling window at ``start_ms`` counts in.

        Examples
        --------
        >>> [(w.start_ms, w.end_ms) for w in QualityRules(10, 0, rolling_ms=20).windows_of("event_time", 50)]
        [(50, 60), (40, 60), (50, 70)]
        """
        yield Window(series, start_ms, start_ms + self.window_ms)
        if self.rolling_ms:
            for end_ms in range(start_ms + self.window_ms, start_ms + self.rolling_ms + 1, self.window_ms):
                yield Window(series, end_ms - self.rolling_ms, end_ms)

    def final_at_ms(self, window: Window) -> int:
        """Return the watermark at which a window is final, epoch milliseconds.

        Truth revises a window of event time until the retention is over. What was learnt in a window of truth time is
        complete when the window is over; the watermark has the allowed lateness in it.
        """
        return window.end_ms + (self.retention_ms if window.series == EVENT_TIME else 0)

    def forgotten_at_ms(self, window: Window) -> int:
        """Return the watermark at which a window's counts may go: late enough for shards far behind the others."""
        return window.end_ms + 2 * self.retention_ms + self.window_ms

    def kind(self, window: Window) -> str:
        """Return ``tumbling``, ``rolling`` or ``life``."""
        if window.is_life:
            return "life"
        return "tumbling" if window.end_ms - window.start_ms == self.window_ms else "rolling"
