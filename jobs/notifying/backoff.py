"""How long an alert waits before it is tried again."""

from __future__ import annotations

import random
from typing import Any, cast

from tenacity import RetryCallState
from tenacity.wait import wait_exponential

__all__ = ["backoff_s"]

LONGEST_S = 900.0


def backoff_s(attempts: int, first_s: float) -> float:
    """Return a random wait between the half and the whole of ``first_s`` doubled with each attempt; at most 15 minutes.

    It is random so that alerts which failed together do not come back together, and never shorter than the half, so
    that a receiver in trouble is left alone.

    Parameters
    ----------
    attempts
        How often it was tried.
    first_s
        The longest wait after the first, seconds.

    Examples
    --------
    >>> all(2.0 <= backoff_s(3, 1.0) <= 4.0 for _ in range(100))
    True
    >>> max(backoff_s(40, 1.0) for _ in range(1_000)) <= LONGEST_S
    True
    """
    # The attempts are counted in the queue, over processes and days: only tenacity's arithmetic is used here.
    state = RetryCallState(retry_object=cast("Any", None), fn=None, args=(), kwargs={})
    state.attempt_number = attempts
    return wait_exponential(multiplier=first_s, max=LONGEST_S)(state) * random.uniform(0.5, 1.0)
