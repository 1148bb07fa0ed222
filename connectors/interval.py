"""Durations as Flink SQL writes them."""

from __future__ import annotations

__all__ = ["interval"]


def interval(duration_ms: int) -> str:
    """Return an interval literal for a duration in milliseconds.

    Examples
    --------
    >>> interval(20)
    "INTERVAL '0 00:00:00.020' DAY(3) TO SECOND(3)"
    >>> interval(90_061_000)
    "INTERVAL '1 01:01:01.000' DAY(3) TO SECOND(3)"
    """
    seconds, milliseconds = divmod(duration_ms, 1_000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    return f"INTERVAL '{day} {hour:02}:{minute:02}:{second:02}.{milliseconds:03}' DAY(3) TO SECOND(3)"
