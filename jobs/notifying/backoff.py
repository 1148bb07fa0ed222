"""How long an alert waits before it is tried again."""

from __future__ import annotations

from typing import Any, cast

from tenacity import RetryCallState
from tenacity.wait import wait_random_exponential

__all__ = ["backoff_s"]

LONGEST_S = 900.0


def backoff_s(attempts: int, first_s: float) -> float:
    """Return a random wait of at most ``first_s`` doubled with each attempt, and never above a quarter of an hour.

    The whole interval is random ("full jitter"), so that alerts which failed together do not come back together.

    Parameters
    ----------
    attempts
        How often it was tried.
    first_s
        The longest wait after the first, seconds.

    Examples
    --------
    >>> all(0 <= backoff_s(3, 1.0) <= 4.0 for _ in range(100))
    True
    >>> max(backoff_s(40, 1.0) for _ in range(1_000)) <= LONGEST_S
    True
    """
    # The attempts are counted in the queue, over processes and days: only tenacity's arithmetic is used here.
    state = RetryCallState(retry_object=cast("Any", None), fn=None, args=(), kwargs={})
    state.attempt_number = attempts
    return wait_random_exponential(multiplier=first_s, max=LONGEST_S)(state)
