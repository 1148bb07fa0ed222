"""A window of ``model_quality``: which time it covers in which series."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["LIFE_END_MS", "Window"]

LIFE_END_MS = 4_102_444_800_000
"""2100-01-01: the end of the window that counts a version's whole life."""


class Window(NamedTuple):
    """Which window: ``[start_ms, end_ms)`` of a series."""

    series: str
    start_ms: int
    end_ms: int

    @classmethod
    def life(cls, series: str) -> Window:
        """Return the window of a version's whole life."""
        return cls(series, 0, LIFE_END_MS)

    @property
    def key(self) -> str:
        """The window's key in the state of its version.

        Examples
        --------
        >>> Window("event_time", 0, 3_600_000).key
        'event_time/0/3600000'
        """
        return f"{self.series}/{self.start_ms}/{self.end_ms}"

    @property
    def is_life(self) -> bool:
        """Whether it counts the version's whole life; it never becomes final while the job runs."""
        return self.start_ms == 0 and self.end_ms == LIFE_END_MS
