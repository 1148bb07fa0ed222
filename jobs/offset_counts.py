"""Counts what was seen at each offset of a partition, in little memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["OffsetCounts"]

CHUNK_BITS = 16
CHUNK = 1 << CHUNK_BITS
MOST = 255


class OffsetCounts:
    """How often each offset was seen, up to 255 times; a byte per offset, in chunks where there are any.

    Examples
    --------
    >>> counts = OffsetCounts()
    >>> for offset in (7, 7, 70_000):
    ...     counts.add(offset)
    >>> counts.of([6, 7, 70_000]).tolist(), counts.offsets().tolist()
    ([0, 2, 1], [7, 70000])
    """

    def __init__(self) -> None:
        self._chunks: dict[int, bytearray] = {}

    def add(self, offset: int) -> None:
        """Count an offset once more."""
        chunk = self._chunks.get(offset >> CHUNK_BITS)
        if chunk is None:
            chunk = self._chunks[offset >> CHUNK_BITS] = bytearray(CHUNK)
        within = offset & (CHUNK - 1)
        if chunk[within] < MOST:
            chunk[within] += 1

    def of(self, offsets: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return the counts of these offsets."""
        wanted = np.asarray(offsets, dtype=np.int64)
        counts = np.zeros(len(wanted), dtype=np.int64)
        for number, chunk in self._chunks.items():
            here = (wanted >> CHUNK_BITS) == number
            counts[here] = np.frombuffer(bytes(chunk), dtype=np.uint8)[wanted[here] & (CHUNK - 1)]
        return counts

    def offsets(self) -> npt.NDArray[np.int64]:
        """Return the offsets that were seen, in order."""
        parts = [
            np.flatnonzero(np.frombuffer(bytes(self._chunks[number]), dtype=np.uint8)) + (number << CHUNK_BITS)
            for number in sorted(self._chunks)
        ]
        return np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, dtype=np.int64)
