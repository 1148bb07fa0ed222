"""The handbook's features of a transaction alone: amount, weekend, night."""

from __future__ import annotations

__all__ = ["HOUR_MS", "calendar_features"]

HOUR_MS = 3_600_000
DAY_MS = 86_400_000
EPOCH_WEEKDAY = 3
"""1970-01-01 was a Thursday; Monday is 0."""


def calendar_features(event_time_ms: int) -> tuple[float, float]:
    """Return ``(TX_DURING_WEEKEND, TX_DURING_NIGHT)``, each 0.0 or 1.0, in UTC.

    Weekend is Saturday or Sunday; night is an hour of at most 6, so until 06:59:59.999.

    Examples
    --------
    >>> calendar_features(1_533_340_800_000)  # Saturday 2018-08-04 00:00
    (1.0, 1.0)
    >>> calendar_features(1_533_340_800_000 - 1)  # Friday 23:59:59.999
    (0.0, 0.0)
    """
    days, in_day = divmod(event_time_ms, DAY_MS)
    return float((days + EPOCH_WEEKDAY) % 7 >= 5), float(in_day < 7 * HOUR_MS)
