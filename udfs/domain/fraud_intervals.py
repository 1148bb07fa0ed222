"""Which transactions of a terminal were frauds, as known at a time."""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable

__all__ = ["FOREVER", "FraudIntervals", "known_as_fraud"]

FOREVER = (1 << 63) - 1
COUNT = struct.Struct("<I")


def known_as_fraud(truths: Iterable[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """Return the times [from, until) at which a transaction counts as fraud, by all its truths.

    Parameters
    ----------
    truths
        ``(truth_time_ms, revision, label)`` in any order. At a time the highest revision known by then holds; where one
        revision was told with both labels, fraud holds.

    Examples
    --------
    >>> known_as_fraud([(50, 0, 1)])
    [(50, 9223372036854775807)]
    >>> known_as_fraud([(80, 1, 0), (50, 0, 1)])
    [(50, 80)]
    """
    intervals: list[tuple[int, int]] = []
    best = (-1, 0)
    since: int | None = None
    for time_ms, revision, label in sorted(truths):
        if (revision, label) <= best:
            continue
        best = (revision, label)
        if label and since is None:
            since = time_ms
        elif not label and since is not None:
            intervals.append((since, time_ms))
            since = None
    if since is not None:
        intervals.append((since, FOREVER))
    return intervals


class FraudIntervals:
    """The intervals in which transactions of one terminal count as fraud, sorted by the transaction's time.

    Parameters
    ----------
    data
        What ``encode`` returned; None to begin empty.
    """

    __slots__ = ("_since", "_times", "_until")

    def __init__(self, data: memoryview | None = None) -> None:
        self._times, self._since, self._until = array("q"), array("q"), array("q")
        if data is not None:
            (count,) = COUNT.unpack_from(data)
            at = COUNT.size
            for column in (self._times, self._since, self._until):
                column.frombytes(data[at : at + 8 * count])
                at += 8 * count

    def encode(self) -> bytes:
        """Return the intervals as bytes."""
        return b"".join((COUNT.pack(len(self._times)), self._times, self._since, self._until))

    def add(self, time_ms: int, since_ms: int, until_ms: int) -> None:
        """Count the transaction at a time as fraud from one time to another."""
        at = bisect_right(self._times, time_ms)
        self._times.insert(at, time_ms)
        self._since.insert(at, since_ms)
        self._until.insert(at, until_ms)

    def remove(self, time_ms: int, since_ms: int, until_ms: int) -> None:
        """Take back one interval that was added; equal ones are alike."""
        at = bisect_left(self._times, time_ms)
        while (self._since[at], self._until[at]) != (since_ms, until_ms):
            at += 1
        del self._times[at], self._since[at], self._until[at]

    def count(self, after_ms: int, to_ms: int, known_at_ms: int) -> int:
        """Return how many transactions in (after, to] were frauds as known at a time."""
        start = bisect_right(self._times, after_ms)
        end = bisect_right(self._times, to_ms, start)
        return sum(self._since[i] <= known_at_ms < self._until[i] for i in range(start, end))

    def drop_before(self, time_ms: int) -> None:
        """Forget transactions before a time."""
        at = bisect_left(self._times, time_ms)
        if at:
            del self._times[:at], self._since[:at], self._until[:at]
