"""What the customer stage remembers of one customer: the state behind the customer windows and the duplicates.

Columns sorted by event time, so a window is two binary searches and the difference of two running sums. The sums are
128-bit fixed-point numbers: exact, so neither drift nor the order of arrival shows in a mean.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left, bisect_right

import numpy as np

from udfs.domain.state_schema import check_schema
from udfs.domain.transaction_digest import DIGEST_BYTES, find_digest
from udfs.domain.window_names import CUSTOMER_WINDOWS, DAY_MS

__all__ = ["CustomerHistory"]

SCHEMA = 1
HEADER = struct.Struct("<B3xIq")
"""Schema, number of transactions, greatest event time; then times, sums (high, low; one more than times), digests."""
RETENTION_MS = 31 * DAY_MS
"""The longest window and one day: an event time may lie a day ahead, and must not cost others their history."""
FRACTION_BITS = 59
"""An amount is kept as a multiple of 2**-59, exact for a double from a cent on; 295,000 amounts of 1e15 have room."""
ONE = float(1 << FRACTION_BITS)
MASK_64 = (1 << 64) - 1
MASK_128 = (1 << 128) - 1
SIGN_128 = 1 << 127
NEVER = -(1 << 62)


class CustomerHistory:
    """The transactions of one customer in the last 31 days and the allowed lateness.

    Parameters
    ----------
    lateness_ms
        How far out of order an event may be and still find its whole window, milliseconds.
    data
        What ``encode`` returned; None for a customer not seen before.

    Raises
    ------
    JobError
        If the data has another schema.

    Notes
    -----
    "The last 31 days" are counted from the customer's greatest event time. What is older is neither counted nor known
    as a duplicate, whether or not its bytes are already gone, so results do not depend on how events were batched.
    """

    __slots__ = ("_digests", "_first", "_greatest", "_high", "_keep_ms", "_low", "_times")

    def __init__(self, lateness_ms: int, data: bytes | None = None) -> None:
        self._keep_ms = RETENTION_MS + lateness_ms
        self._first = 0  # rows before it have expired; their bytes go at the next encode
        self._greatest = NEVER
        self._times = array("q")
        self._high, self._low = array("Q"), array("Q")
        self._digests = bytearray()
        if data is None:
            self._high.append(0)
            self._low.append(0)
        else:
            self._decode(data)

    def _decode(self, data: bytes) -> None:
        schema, count, self._greatest = HEADER.unpack_from(data)
        check_schema(schema, SCHEMA, "a customer")
        sums = HEADER.size + 8 * count
        middle = sums + 8 * (count + 1)
        end = middle + 8 * (count + 1)
        view = memoryview(data)
        self._times.frombytes(view[HEADER.size : sums])
        self._high.frombytes(view[sums:middle])
        self._low.frombytes(view[middle:end])
        self._digests += view[end:]

    def encode(self) -> bytes:
        """Return the state as bytes, without what has expired."""
        first = self._first
        if first:
            del self._times[:first], self._high[:first], self._low[:first], self._digests[: first * DIGEST_BYTES]
            self._first = 0
        header = HEADER.pack(SCHEMA, len(self._times), self._greatest)
        return b"".join((header, self._times, self._high, self._low, self._digests))

    def holds(self, digest: bytes) -> bool:
        """Say whether a transaction is known."""
        return find_digest(self._digests, digest, self._first * DIGEST_BYTES, DIGEST_BYTES) >= 0

    def add(self, digest: bytes, time_ms: int, amount: float) -> None:
        """Take in a transaction, behind those of the same millisecond.

        One that is older than what is kept is not taken in.
        """
        if time_ms > self._greatest:
            self._greatest = time_ms
            self._first = bisect_left(self._times, time_ms - self._keep_ms, self._first)
        elif time_ms < self._greatest - self._keep_ms:
            return
        scaled = round(amount * ONE)
        at = bisect_right(self._times, time_ms, self._first)
        in_order = at == len(self._times)
        total = (self._sum(at) + scaled) & MASK_128
        self._times.insert(at, time_ms)
        self._high.insert(at + 1, total >> 64)
        self._low.insert(at + 1, total & MASK_64)
        self._digests[at * DIGEST_BYTES : at * DIGEST_BYTES] = digest
        if not in_order:
            self._raise_sums(at + 2, scaled)

    def windows(self, time_ms: int, amount: float) -> dict[str, float]:
        """Return count and mean amount of the windows (t - n days, t], after the transaction at t was added.

        A transaction that was too old to be added is alone in its windows.
        """
        end = bisect_right(self._times, time_ms, self._first)
        features: dict[str, float] = {}
        for length_ms, count_name, mean_name in CUSTOMER_WINDOWS:
            start = bisect_right(self._times, time_ms - length_ms, self._first, end)
            count = end - start
            features[count_name] = float(count or 1)
            features[mean_name] = self._total(start, end) / (count << FRACTION_BITS) if count else amount
        return features

    def _sum(self, rows: int) -> int:
        return (self._high[rows] << 64) | self._low[rows]

    def _total(self, start: int, end: int) -> int:
        difference = (self._sum(end) - self._sum(start)) & MASK_128
        return difference - (1 << 128) if difference & SIGN_128 else difference

    def _raise_sums(self, start: int, scaled: int) -> None:
        """Add an amount to the running sums behind an insertion; two 64-bit additions and the carry between them."""
        scaled &= MASK_128
        low = np.frombuffer(self._low, np.uint64)[start:]
        high = np.frombuffer(self._high, np.uint64)[start:]
        step = np.uint64(scaled & MASK_64)
        low += step
        high += np.uint64(scaled >> 64)
        high += low < step
