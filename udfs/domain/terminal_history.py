"""What the terminal stage remembers of one terminal: its transactions and the truths told about them.

Transactions are columns sorted by event time. Truths that can change a count (frauds and corrections) are records by
transaction; the times at which each fraud counts follow from them and are kept sorted, so a window is a binary search.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left, bisect_right

from udfs.domain.fraud_intervals import FraudIntervals, known_as_fraud
from udfs.domain.state_schema import check_schema
from udfs.domain.transaction_digest import DIGEST_BYTES, find_digest
from udfs.domain.window_names import DAY_MS, TERMINAL_WINDOWS

__all__ = ["TerminalHistory"]

SCHEMA = 1
HEADER = struct.Struct("<B3xIqII")
"""Schema, number of transactions, greatest event time, number of truths, of those without transaction; then times,
digests, truths, fraud intervals."""
TRUTH = struct.Struct(f"<{DIGEST_BYTES}sqqiBB2x")
"""Digest, event time (the transaction's once it is here), truth time, revision, label, whether the transaction is
here."""
TRUTH_IS_HERE = TRUTH.size - 3
"""Where in the record that last flag lies."""
DELAY_MS = 7 * DAY_MS
RETENTION_MS = 38 * DAY_MS
"""The delay, the longest window and one day: an event time may lie a day ahead, and must not cost others their
history."""
NEVER = -(1 << 62)


class TerminalHistory:
    """The transactions of one terminal in the last 38 days and the allowed lateness, and what became of them.

    Parameters
    ----------
    lateness_ms
        How far out of order an event may be and still find its whole window, milliseconds.
    data
        What ``encode`` returned; None for a terminal not seen before.

    Raises
    ------
    JobError
        If the data has another schema.

    Notes
    -----
    "The last 38 days" are counted from the greatest event time of a transaction or of a truth's transaction. What is
    older is not counted, whether or not its bytes are already gone, so results do not depend on how events were
    batched.
    """

    __slots__ = ("_digests", "_first", "_frauds", "_greatest", "_keep_ms", "_times", "_truths", "_waiting")

    def __init__(self, lateness_ms: int, data: bytes | None = None) -> None:
        self._keep_ms = RETENTION_MS + lateness_ms
        self._first = 0  # rows before it have expired; their bytes go at the next encode
        self._greatest = NEVER
        self._times = array("q")
        self._digests = bytearray()
        self._truths = bytearray()
        self._waiting = 0
        self._frauds = FraudIntervals()
        if data is not None:
            self._decode(data)

    def _decode(self, data: bytes) -> None:
        schema, count, self._greatest, truths, self._waiting = HEADER.unpack_from(data)
        check_schema(schema, SCHEMA, "a terminal")
        digests = HEADER.size + 8 * count
        records = digests + DIGEST_BYTES * count
        end = records + TRUTH.size * truths
        view = memoryview(data)
        self._times.frombytes(view[HEADER.size : digests])
        self._digests += view[digests:records]
        self._truths += view[records:end]
        if truths:
            self._frauds = FraudIntervals(view[end:])

    def encode(self) -> bytes:
        """Return the state as bytes, without what has expired."""
        if self._first:
            del self._times[: self._first], self._digests[: self._first * DIGEST_BYTES]
            self._first = 0
        if self._truths:
            self._drop_truths()
            self._frauds.drop_before(self._horizon)
        truths = len(self._truths) // TRUTH.size
        header = HEADER.pack(SCHEMA, len(self._times), self._greatest, truths, self._waiting)
        frauds = self._frauds.encode() if truths else b""
        return b"".join((header, self._times, self._digests, self._truths, frauds))

    def add_transaction(self, digest: bytes, time_ms: int) -> None:
        """Take in a transaction, and the truths that came before it; one that is older than what is kept is not."""
        self._advance(time_ms)
        if time_ms < self._horizon:
            return
        at = bisect_right(self._times, time_ms, self._first)
        self._times.insert(at, time_ms)
        self._digests[at * DIGEST_BYTES : at * DIGEST_BYTES] = digest
        if self._waiting:
            self._join(digest, time_ms)

    def add_truth(self, digest: bytes, time_ms: int, truth_time_ms: int, revision: int, label: int) -> None:
        """Take in a truth about the transaction at ``time_ms``, which may be here, come later, or never.

        A first truth that says "genuine" changes no count and is not kept.
        """
        self._advance(time_ms)
        if time_ms < self._horizon or (label == 0 and revision == 0):
            return
        told = self._told(digest)
        known = [truth for _, truth in told]
        if any(r == revision and one == label and t <= truth_time_ms for t, r, one in known):
            return
        # Where an identifier came twice, from two customers, its truths stay with the one they joined first.
        joined = next((at for at, _ in told if self._truths[at + TRUTH_IS_HERE]), None)
        here = self._time_of(digest, time_ms) if joined is None else TRUTH.unpack_from(self._truths, joined)[1]
        if here is None:
            self._waiting += 1
        else:
            self._count_frauds(here, known, [*known, (truth_time_ms, revision, label)])
        at = time_ms if here is None else here
        self._truths += TRUTH.pack(digest, at, truth_time_ms, revision, label, here is not None)

    def windows(self, time_ms: int) -> dict[str, float]:
        """Return count and share of frauds of the windows (t - 7 - n days, t - 7 days], as known at t.

        The share is 0 where there are no transactions.
        """
        to_ms = time_ms - DELAY_MS
        end = bisect_right(self._times, to_ms, self._first)
        features: dict[str, float] = {}
        for length_ms, count_name, risk_name in TERMINAL_WINDOWS:
            after_ms = max(to_ms - length_ms, self._horizon - 1)
            count = end - bisect_right(self._times, after_ms, self._first, end)
            frauds = self._frauds.count(after_ms, to_ms, time_ms) if count and self._truths else 0
            features[count_name] = float(count)
            features[risk_name] = frauds / count if count else 0.0
        return features

    @property
    def _horizon(self) -> int:
        return self._greatest - self._keep_ms

    def _advance(self, time_ms: int) -> None:
        if time_ms > self._greatest:
            self._greatest = time_ms
            self._first = bisect_left(self._times, self._horizon, self._first)

    def _join(self, digest: bytes, time_ms: int) -> None:
        """Give the truths that waited for a transaction its time, and count it."""
        waiting = [(at, truth) for at, truth in self._told(digest) if not self._truths[at + TRUTH_IS_HERE]]
        for at, (truth_time_ms, revision, label) in waiting:
            TRUTH.pack_into(self._truths, at, digest, time_ms, truth_time_ms, revision, label, True)
        self._waiting -= len(waiting)
        self._count_frauds(time_ms, [], [truth for _, truth in waiting])

    def _told(self, digest: bytes) -> list[tuple[int, tuple[int, int, int]]]:
        """Return offset and (truth time, revision, label) of every truth about a transaction."""
        told = []
        at = find_digest(self._truths, digest, 0, TRUTH.size)
        while at >= 0:
            _, time_ms, truth_time_ms, revision, label, _ = TRUTH.unpack_from(self._truths, at)
            if time_ms >= self._horizon:
                told.append((at, (truth_time_ms, revision, label)))
            at = find_digest(self._truths, digest, at + TRUTH.size, TRUTH.size)
        return told

    def _time_of(self, digest: bytes, time_ms: int) -> int | None:
        """Return the event time of a transaction that is here; the truth's own ``time_ms`` is a hint where to look."""
        start = bisect_left(self._times, time_ms, self._first)
        end = bisect_right(self._times, time_ms, start)
        for row in range(start, end):
            if self._digests[row * DIGEST_BYTES : (row + 1) * DIGEST_BYTES] == digest:
                return time_ms
        at = find_digest(self._digests, digest, self._first * DIGEST_BYTES, DIGEST_BYTES)
        return None if at < 0 else self._times[at // DIGEST_BYTES]

    def _count_frauds(
        self, time_ms: int, before: list[tuple[int, int, int]], after: list[tuple[int, int, int]]
    ) -> None:
        for since_ms, until_ms in known_as_fraud(before):
            self._frauds.remove(time_ms, since_ms, until_ms)
        for since_ms, until_ms in known_as_fraud(after):
            self._frauds.add(time_ms, since_ms, until_ms)

    def _drop_truths(self) -> None:
        """Forget truths about transactions that have expired."""
        records = list(TRUTH.iter_unpack(self._truths))
        kept = [record for record in records if record[1] >= self._horizon]
        if len(kept) < len(records):
            self._truths = bytearray().join(TRUTH.pack(*record) for record in kept)
            self._waiting = sum(not record[5] for record in kept)
