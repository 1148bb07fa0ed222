"""The only place where the job reads the clock; domain functions get the time as an argument."""

from __future__ import annotations

import time

__all__ = ["now_ms"]


def now_ms() -> int:
    """Return the time of day in epoch milliseconds, UTC."""
    return time.time_ns() // 1_000_000
