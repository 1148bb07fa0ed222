"""Spreads work evenly over time."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Pacer"]

SHORTEST_SLEEP_S = 0.001
LONGEST_CATCH_UP_S = 0.2


class Pacer:
    """Lets one piece of work through at a time, so many a second, without bursts.

    Who falls behind catches up at most 0.2 s of work at once; what is older is forgotten, so that no flood follows a
    stall.

    Parameters
    ----------
    rate
        Pieces of work a second; None does not hold anything back.
    clock
        Returns seconds; monotonic.
    sleep
        Waits so many seconds, or less if it is told to stop.

    Examples
    --------
    >>> clock = [0.0]
    >>> def sleep(seconds):
    ...     clock[0] += seconds
    >>> pacer = Pacer(4, clock=lambda: clock[0], sleep=sleep)
    >>> for _ in range(9):
    ...     pacer.wait()
    >>> clock[0]
    2.0
    """

    def __init__(
        self,
        rate: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._due = clock()
        self.pace(rate)

    def pace(self, rate: float | None) -> None:
        """Go on at another rate; may be called from another thread."""
        self._step = 1 / rate if rate else 0.0

    def wait(self) -> None:
        """Return when the next piece of work is due."""
        if not self._step:
            return
        ahead = self._due - self._clock()
        if ahead > SHORTEST_SLEEP_S:
            self._sleep(ahead)
        elif ahead < -LONGEST_CATCH_UP_S:
            self._due -= ahead + LONGEST_CATCH_UP_S
        self._due += self._step
