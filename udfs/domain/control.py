"""What a producer says about its stream, in the stream."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Control"]


@dataclass(frozen=True, slots=True)
class Control:
    """A control record: no event, but it moves the watermark past the last window and has its place in the sum.

    Parameters
    ----------
    control
        What is said; ``close`` is the only word so far.
    event_time_ms
        The event time the producer moves the watermark to, epoch milliseconds.
    """

    control: str
    event_time_ms: int
