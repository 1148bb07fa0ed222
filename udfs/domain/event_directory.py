"""Where a large entity's chunks begin, and what is before each: one entry of keyed state, read when a chunk is looked up."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["BEGINNING", "FOREVER", "ChunkPlace", "EventDirectory"]

ROW = np.dtype([("number", "<u4"), ("first", "<i8"), ("count", "<u8"), ("low", "<u8"), ("high", "<u8")])
FOREVER = (1 << 63) - 1
BEGINNING = -(1 << 63)
MASK_64 = (1 << 64) - 1
MASK_128 = (1 << 128) - 1


ChunkPlace = tuple[int, int, int, int, int, int]
"""A chunk: the times [from, to) it holds, its number, count of the events before it, and their sum as low and high word."""


class EventDirectory:
    """The chunks of a sequence in order of time; the first begins with time itself.

    Parameters
    ----------
    data
        What ``encode`` returned; None for one chunk, number 0, with nothing before it.
    """

    __slots__ = ("_rows",)

    def __init__(self, data: bytes | None = None) -> None:
        self._rows: npt.NDArray[Any]
        if data is None:
            self._rows = np.array([(0, BEGINNING, 0, 0, 0)], ROW)
        else:
            self._rows = np.frombuffer(data, ROW)

    def __len__(self) -> int:
        return len(self._rows)

    def encode(self) -> bytes:
        """Return the rows as bytes."""
        return self._rows.tobytes()

    @property
    def numbers(self) -> list[int]:
        """The numbers of all chunks."""
        numbers: list[int] = self._rows["number"].tolist()
        return numbers

    @property
    def second_ms(self) -> int:
        """First time of the second chunk; without one, the end of time."""
        return int(self._rows["first"][1]) if len(self._rows) > 1 else FOREVER

    def index_at(self, time_ms: int) -> int:
        """Return the index of the chunk that holds a time."""
        return int(np.searchsorted(self._rows["first"], time_ms, side="right")) - 1

    def index_of(self, number: int) -> int:
        """Return the index of a chunk."""
        return int(np.flatnonzero(self._rows["number"] == number)[0])

    def place(self, index: int) -> ChunkPlace:
        """Return the chunk at an index; -1 is the newest."""
        number, first, count, low, high = self._rows[index].item()
        last = index in (-1, len(self._rows) - 1)
        return first, FOREVER if last else int(self._rows["first"][index + 1]), number, count, low, high

    def insert(self, index: int, number: int, first_ms: int, count: int, total: int) -> None:
        """Put a chunk before the one at an index."""
        row = np.array([(number, first_ms, count, total & MASK_64, total >> 64 & MASK_64)], ROW)
        self._rows = np.concatenate((self._rows[:index], row, self._rows[index:]))

    def drop_before(self, time_ms: int) -> list[int]:
        """Forget the chunks all of whose events are before a time, but never the newest; return their numbers."""
        dropped = int(np.searchsorted(self._rows["first"], time_ms, side="left")) - 1
        if dropped < 1:
            return []
        numbers: list[int] = self._rows["number"][:dropped].tolist()
        self._rows = self._rows[dropped:].copy()
        self._rows["first"][0] = BEGINNING
        return numbers

    def count_more(self, index: int, events: int, amount: int) -> None:
        """Count events and their amount, both may be negative, before each chunk from an index on."""
        self._rows = self._rows.copy()
        behind = self._rows[index:]
        behind["count"] += np.uint64(events & MASK_64)
        amount &= MASK_128
        step = np.uint64(amount & MASK_64)
        behind["low"] += step
        behind["high"] += np.uint64(amount >> 64)
        behind["high"] += behind["low"] < step
