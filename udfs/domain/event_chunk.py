"""At most 256 events of one entity as columns, sorted by time: what a window is searched in.

A small entity is one chunk; a large one is many, of which a window reads those at its edges (see ``event_sequence.py``).
Sums are 128-bit fixed-point numbers that run through the chunk: exact, so neither drift nor the order of arrival shows.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import pairwise

from udfs.domain.transaction_digest import DIGEST_BYTES

__all__ = ["CHUNK_EVENTS", "FRACTION_BITS", "MASK_128", "EventChunk", "scaled", "signed"]

CHUNK_EVENTS = 256
FRACTION_BITS = 59
"""An amount is kept as a multiple of 2**-59, exact for a double from a cent on; 295,000 amounts of 1e15 have room."""
ONE = float(1 << FRACTION_BITS)
MASK_128 = (1 << 128) - 1
SIGN_128 = 1 << 127
SUM_BYTES = 16
EVENT_BYTES = 8 + SUM_BYTES + DIGEST_BYTES
ZERO = bytes(SUM_BYTES)


def scaled(amount: float) -> int:
    """Return an amount as a whole number of 2**-59."""
    return round(amount * ONE)


def signed(total: int) -> int:
    """Return the signed number that a difference of two running sums stands for."""
    total &= MASK_128
    return total - (1 << 128) if total & SIGN_128 else total


class EventChunk:
    """Columns of events: time, running sum of amounts, digest of the transaction_id.

    Parameters
    ----------
    data
        What ``encode`` returned; empty for a chunk without events.

    Attributes
    ----------
    times
        Sorted, milliseconds; read only.
    sums
        Running sums, 16 bytes each, one more than times; read only.
    digests
        One after the other, in the order of the times; read only.
    """

    __slots__ = ("digests", "sums", "times")

    def __init__(self, data: bytes | memoryview = b"") -> None:
        self.times = array("q")
        if not data:
            self.sums, self.digests = bytearray(ZERO), bytearray()
            return
        count = self.count(len(data))
        sums = 8 * count
        digests = sums + SUM_BYTES * (count + 1)
        self.times.frombytes(data[:sums])
        self.sums, self.digests = bytearray(data[sums:digests]), bytearray(data[digests:])

    @classmethod
    def of(cls, times: array[int], sums: bytearray, digests: bytearray) -> EventChunk:
        """Make a chunk of columns, which it goes on to use: n times, n + 1 running sums of 16 bytes each, n digests."""
        made = cls.__new__(cls)
        made.times, made.sums, made.digests = times, sums, digests
        return made

    def __len__(self) -> int:
        return len(self.times)

    @staticmethod
    def size(events: int) -> int:
        """Return how many bytes so many events have."""
        return EVENT_BYTES * events + SUM_BYTES

    @staticmethod
    def count(size: int) -> int:
        """Return how many events so many bytes hold."""
        return (size - SUM_BYTES) // EVENT_BYTES

    @property
    def columns(self) -> tuple[array[int], bytearray, bytearray]:
        """The columns, to be written one after the other."""
        return self.times, self.sums, self.digests

    def encode(self) -> bytes:
        """Return the columns one after the other."""
        return b"".join(self.columns)

    def sum_before(self, row: int) -> int:
        """Return the running sum of the events before a row, modulo 2**128; it begins with 0 in a chunk of many."""
        return int.from_bytes(self.sums[SUM_BYTES * row : SUM_BYTES * row + SUM_BYTES], "little")

    @property
    def total(self) -> int:
        """The sum of all events, modulo 2**128."""
        return self.sum_before(len(self.times)) - self.sum_before(0) & MASK_128

    def digest(self, row: int) -> bytes:
        """Return the digest of a row."""
        return bytes(self.digests[DIGEST_BYTES * row : DIGEST_BYTES * (row + 1)])

    def insert(self, time_ms: int, digest: bytes, amount: int) -> int:
        """Take in an event behind those of the same millisecond, and return its row."""
        times, sums = self.times, self.sums
        count = len(times)
        if not count or times[-1] <= time_ms:
            times.append(time_ms)
            sums += (int.from_bytes(sums[-SUM_BYTES:], "little") + amount & MASK_128).to_bytes(SUM_BYTES, "little")
            self.digests += digest
            return count
        row = bisect_right(times, time_ms)
        running = self.sum_before(row)
        times.insert(row, time_ms)
        self.digests[DIGEST_BYTES * row : DIGEST_BYTES * row] = digest
        at = SUM_BYTES * (row + 1)
        sums[at:at] = (running + amount & MASK_128).to_bytes(SUM_BYTES, "little")
        self.raise_sums(row + 2, amount)
        return row

    def remove(self, row: int) -> int:
        """Take out an event and return its amount."""
        amount = signed(self.sum_before(row + 1) - self.sum_before(row))
        del self.times[row]
        del self.digests[DIGEST_BYTES * row : DIGEST_BYTES * (row + 1)]
        del self.sums[SUM_BYTES * (row + 1) : SUM_BYTES * (row + 2)]
        self.raise_sums(row + 1, -amount)
        return amount

    def drop_first(self, rows: int) -> None:
        """Forget the first rows."""
        del self.times[:rows], self.sums[: SUM_BYTES * rows], self.digests[: DIGEST_BYTES * rows]

    def split(self, row: int) -> EventChunk:
        """Keep the rows before one, and return a chunk of the others."""
        rest = EventChunk.of(self.times[row:], self.sums[SUM_BYTES * row :], self.digests[DIGEST_BYTES * row :])
        del self.times[row:], self.sums[SUM_BYTES * (row + 1) :], self.digests[DIGEST_BYTES * row :]
        rest.raise_sums(0, -rest.sum_before(0))
        return rest

    def amounts(self, start: int, end: int) -> list[float]:
        """Return the amounts of some rows."""
        return [amount / ONE for amount in self.scaled_amounts(start, end)]

    def scaled_amounts(self, start: int, end: int) -> list[int]:
        """Return the amounts of some rows as they were given to :meth:`insert`."""
        running = [self.sum_before(row) for row in range(start, end + 1)]
        return [signed(after - before) for before, after in pairwise(running)]

    def raise_sums(self, start: int, amount: int) -> None:
        """Add an amount to the running sums from a row on."""
        for at in range(SUM_BYTES * start, len(self.sums), SUM_BYTES):
            running = int.from_bytes(self.sums[at : at + SUM_BYTES], "little") + amount & MASK_128
            self.sums[at : at + SUM_BYTES] = running.to_bytes(SUM_BYTES, "little")
