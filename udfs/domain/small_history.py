"""The history of an entity with few transactions: one value of keyed state, written anew with each change."""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

import numpy as np

from udfs.domain.entity_history import NEVER, EntityHistory
from udfs.domain.event_chunk import MASK_128, EventChunk
from udfs.domain.fraud_intervals import FraudIntervals
from udfs.domain.transaction_digest import DIGEST_BYTES, find_digest
from udfs.domain.truth_records import ToldTruth, TruthRecords

__all__ = ["SCHEMA", "SMALL", "SmallHistory"]

SCHEMA = 2
SMALL = 0
HEADER = struct.Struct("<BB2xIqqII")
"""Schema, form, number of transactions, greatest event time of one, time since which amounts are known, number of truths, of
those without transaction; then the chunk, the truths, and where there are truths the intervals of fraud."""
CUSTOMER_1 = struct.Struct("<B3xIq")
"""Schema 1 of a customer: schema, number of transactions, greatest event time; then times, sums (high words, then low
words; one more than times), digests."""
TERMINAL_1 = struct.Struct("<B3xIqII")
"""Schema 1 of a terminal: schema, number of transactions, greatest event time, number of truths, of those without
transaction; then times, digests, truths, intervals of fraud. No amounts."""


class SmallHistory(EntityHistory):
    """See :class:`EntityHistory`.

    Parameters
    ----------
    keep_ms
        How long a transaction is kept.
    data
        What ``encode`` returned; None for an entity not seen before.

    Attributes
    ----------
    times, sums, digests
        The columns of its one chunk, see :class:`EventChunk`; read only.
    first
        Rows before it have expired; their bytes go at the next encode.
    intervals
        When transactions count as fraud; None where no truth was told.

    Notes
    -----
    An event of a customer or terminal in order of time takes this way, nearly all do: no object more than needed is made.
    """

    __slots__ = ("_truths", "digests", "first", "intervals", "sums", "times")

    def __init__(self, keep_ms: int, data: bytes | None = None) -> None:
        self._keep_ms, self.first = keep_ms, 0
        self._truths: TruthRecords | None = None
        self.intervals: FraudIntervals | None = None
        self.times = array("q")
        if data is None:
            self.greatest_ms = self.amounts_since_ms = NEVER
            self._waiting = 0
            self.sums, self.digests = bytearray(16), bytearray()
            return
        _, _, count, self.greatest_ms, self.amounts_since_ms, truths, self._waiting = HEADER.unpack_from(data)
        sums = HEADER.size + 8 * count
        digests = sums + 16 * count + 16
        end = digests + DIGEST_BYTES * count
        self.times.frombytes(data[HEADER.size : sums])
        self.sums, self.digests = bytearray(data[sums:digests]), bytearray(data[digests:end])
        if truths:
            intervals = end + TruthRecords.size(truths)
            self._truths, self.intervals = (
                TruthRecords(data[end:intervals]),
                FraudIntervals(memoryview(data)[intervals:]),
            )

    @classmethod
    def of_customer_1(cls, keep_ms: int, data: bytes) -> SmallHistory:
        """Read what version 0.1.0 wrote of a customer."""
        made = cls(keep_ms)
        _, count, made.greatest_ms = CUSTOMER_1.unpack_from(data)
        sums = CUSTOMER_1.size + 8 * count
        high, low = np.frombuffer(data, np.uint64, 2 * (count + 1), sums).reshape(2, count + 1)
        made.times.frombytes(data[CUSTOMER_1.size : sums])
        made.sums = bytearray(np.stack([low, high], axis=1).tobytes())
        made.digests += data[sums + 16 * (count + 1) :]
        return made

    @classmethod
    def of_terminal_1(cls, keep_ms: int, data: bytes) -> SmallHistory:
        """Read what version 0.1.0 wrote of a terminal; its transactions' amounts are not known."""
        made = cls(keep_ms)
        _, count, made.greatest_ms, truths, made._waiting = TERMINAL_1.unpack_from(data)
        made.amounts_since_ms = made.greatest_ms + 1
        digests = TERMINAL_1.size + 8 * count
        records = digests + DIGEST_BYTES * count
        made.times.frombytes(data[TERMINAL_1.size : digests])
        made.sums = bytearray(16 * (count + 1))
        made.digests += data[digests:records]
        if truths:
            end = records + TruthRecords.size(truths)
            made._truths, made.intervals = TruthRecords(data[records:end]), FraudIntervals(memoryview(data)[end:])
        return made

    @property
    def chunk(self) -> EventChunk:
        """The columns as a chunk."""
        return EventChunk.of(self.times, self.sums, self.digests)

    @property
    def truths(self) -> TruthRecords:
        """What was told of the transactions."""
        if self._truths is None:
            self._truths, self.intervals = TruthRecords(), FraudIntervals()
        return self._truths

    def encode(self) -> bytes:
        """Return the state as bytes, without what has expired."""
        if self.first or self._truths is not None:
            self.drop_expired()
        count, greatest_ms, since_ms = len(self.times), self.greatest_ms, self.amounts_since_ms
        if self._truths is None or self.intervals is None:
            head = HEADER.pack(SCHEMA, SMALL, count, greatest_ms, since_ms, 0, self._waiting)
            return b"".join((head, self.times, self.sums, self.digests))
        truths = len(self._truths)
        head = HEADER.pack(SCHEMA, SMALL, count, greatest_ms, since_ms, truths, self._waiting)
        told = (self._truths.encode(), self.intervals.encode()) if truths else ()
        return b"".join((head, self.times, self.sums, self.digests, *told))

    @property
    def size(self) -> int:
        """About how many bytes of state the entity has."""
        return (
            HEADER.size + EventChunk.size(len(self.times)) + TruthRecords.size(len(self.truths) if self._truths else 0)
        )

    @property
    def oldest_ms(self) -> int | None:
        """Time of the oldest transaction that is kept; None where there is none."""
        return self.times[self.first] if self.first < len(self.times) else None

    def drop_expired(self) -> None:
        """Forget what is older than what is kept."""
        if self.first:
            self.chunk.drop_first(self.first)
            self.first = 0
        if self._truths is not None and self.intervals is not None:
            self._waiting -= self._truths.drop_before(self.horizon_ms)
            self.intervals.drop_before(self.horizon_ms)

    def holds(self, digest: bytes) -> bool:
        """Say whether a transaction is known."""
        at = self.digests.find(digest, DIGEST_BYTES * self.first)
        return at >= 0 and find_digest(self.digests, digest, DIGEST_BYTES * self.first, DIGEST_BYTES) >= 0

    def add(self, digest: bytes, time_ms: int, amount: int) -> bool:
        """Take in a transaction; one in order of time, of an entity without waiting truths, at once."""
        if time_ms < self.greatest_ms or self._waiting:
            return super().add(digest, time_ms, amount)
        self.greatest_ms = time_ms
        times, sums = self.times, self.sums
        if times and times[self.first if self.first < len(times) else -1] < time_ms - self._keep_ms:
            self.first = bisect_left(times, time_ms - self._keep_ms, self.first)
        times.append(time_ms)
        self.digests += digest
        sums += (int.from_bytes(sums[-16:], "little") + amount & MASK_128).to_bytes(16, "little")
        return True

    def before(self, times_ms: Sequence[int], *, sums: bool) -> list[tuple[int, int]]:
        """Count by binary search in one column."""
        chunk = self.chunk
        rows = [bisect_right(self.times, time_ms, self.first) for time_ms in times_ms]
        return [(row, chunk.sum_before(row)) for row in rows]

    def amounts(self, after_ms: int, to_ms: int) -> list[float]:
        """Return the amounts of the transactions in (after, to], in order of time."""
        times, first = self.times, self.first
        return self.chunk.amounts(bisect_right(times, after_ms, first), bisect_right(times, to_ms, first))

    def newest_ms(self, to_ms: int, skip: int) -> int | None:
        """Return the time of the newest transaction up to a time, after skipping some."""
        row = bisect_right(self.times, to_ms, self.first) - 1 - skip
        return self.times[row] if row >= self.first else None

    def frauds(self, after_ms: int, to_ms: int, known_at_ms: int) -> int:
        """Return how many transactions in (after, to] were frauds as known at a time."""
        if self.intervals is None:
            return 0
        return self.intervals.count(max(after_ms, self.horizon_ms - 1), to_ms, known_at_ms)

    def waiting_truths(self) -> Iterator[tuple[bytes, int, ToldTruth]]:
        """Yield what was told of transactions that are not here."""
        if self._truths is not None:
            yield from self._truths.waiting()

    def _advanced(self) -> None:
        self.first = bisect_left(self.times, self.greatest_ms - self._keep_ms, self.first)

    def _insert(self, digest: bytes, time_ms: int, amount: int) -> None:
        self.chunk.insert(time_ms, digest, amount)

    def _truths_of(self, digest: bytes, *, change: bool) -> TruthRecords:
        return self.truths

    def _time_of(self, digest: bytes, time_ms: int) -> int | None:
        at = find_digest(self.digests, digest, self.first * DIGEST_BYTES, DIGEST_BYTES)
        if at < 0:
            return None
        # Where one identifier came twice, from two customers, the truth's own time says which.
        chunk, start = self.chunk, bisect_left(self.times, time_ms, self.first)
        for row in range(start, bisect_right(self.times, time_ms, start)):
            if chunk.digest(row) == digest:
                return time_ms
        return self.times[at // DIGEST_BYTES]

    def _change_frauds(
        self, digest: bytes, time_ms: int, before: list[tuple[int, int]], after: list[tuple[int, int]]
    ) -> None:
        intervals = self.intervals
        assert intervals is not None  # made with the truths
        for since_ms, until_ms in before:
            intervals.remove(time_ms, since_ms, until_ms)
        for since_ms, until_ms in after:
            intervals.add(time_ms, since_ms, until_ms)
