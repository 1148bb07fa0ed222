"""The history of an entity with more than 512 transactions: a header, and chunks beside it, of which few are read.

Transactions and frauds are sequences of chunks; known identifiers, and truths by identifier, lie in buckets by the first
bits of their digest. So an event costs the same however many transactions the entity has.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, MutableMapping, Sequence

from udfs.domain.entity_history import EntityHistory
from udfs.domain.event_sequence import EventSequence
from udfs.domain.fraud_intervals import FOREVER, known_as_fraud
from udfs.domain.small_history import SCHEMA, SmallHistory
from udfs.domain.state_schema import check_schema
from udfs.domain.transaction_digest import DIGEST_BYTES, find_digest
from udfs.domain.truth_records import ToldTruth, TruthRecords

__all__ = ["LARGE", "LargeHistory"]

LARGE = 1
HEADER = struct.Struct("<BB2xIqqII")
"""Schema, form, number of open frauds, greatest event time of a transaction, time since which amounts are known, 1 if a
fraud was ever settled, truths without transaction; then the open frauds and the headers of both sequences. In that of the
settled frauds an event's amount is the time since which it is known, milliseconds (0 in what older code wrote)."""
OPEN_FRAUD = struct.Struct(f"<qqq{DIGEST_BYTES}s")
"""Event time, from and until when it counts, digest."""
KNOWN = struct.Struct(f"<{DIGEST_BYTES}sq")
"""Digest and event time of a transaction that is here."""
BUCKETS = 4_096
EVENT_BYTES = 64
"""In its chunk and its bucket."""
EDGES_REMEMBERED = 64
SETTLED_MS = 3_600_000
"""A fraud known for so long is settled: it counts for every event that is not more out of order than this, and for one
that is by the time since which it is known."""


class LargeHistory(EntityHistory):
    """See :class:`EntityHistory`.

    Parameters
    ----------
    keep_ms
        How long a transaction is kept.
    entity
        Name of the customer or terminal.
    parts
        The keyed state of all entities' chunks and buckets.
    data
        What ``encode`` returned; None to begin.
    """

    __slots__ = (
        "_any_settled",
        "_buckets",
        "_changed",
        "_entity",
        "_events",
        "_open",
        "_parts",
        "_settled",
        "_settled_until",
        "_tables",
    )

    def __init__(self, keep_ms: int, entity: str, parts: MutableMapping[str, bytes], data: bytes | None = None) -> None:
        super().__init__(keep_ms)
        self._parts, self._entity = parts, entity
        self._buckets: dict[int, bytearray] = {}
        self._tables: dict[int, TruthRecords] = {}
        self._changed: set[str] = set()
        self._open: list[tuple[int, int, int, bytes]] = []
        self._settled_until: dict[int, int] = {}  # count of settled frauds up to a time
        self._any_settled = 0
        if data is None:
            self._events = EventSequence(parts, "e", entity)
            self._settled = EventSequence(parts, "f", entity)
            return
        head = HEADER.unpack_from(data)
        schema, _, frauds, self.greatest_ms, self.amounts_since_ms, self._any_settled, self._waiting = head
        check_schema(schema, SCHEMA, "an entity")
        view = memoryview(data)
        sequences = HEADER.size + OPEN_FRAUD.size * frauds
        if frauds:
            self._open = list(OPEN_FRAUD.iter_unpack(view[HEADER.size : sequences]))
        settled = sequences + EventSequence.size(view[sequences:])
        self._events = EventSequence(parts, "e", entity, view[sequences:settled])
        self._settled = EventSequence(parts, "f", entity, view[settled:])

    @classmethod
    def of(cls, small: SmallHistory, keep_ms: int, entity: str, parts: MutableMapping[str, bytes]) -> LargeHistory:
        """Move a history that has outgrown one value."""
        small.drop_expired()
        made = cls(keep_ms, entity, parts)
        made.greatest_ms, made.amounts_since_ms = small.greatest_ms, small.amounts_since_ms
        chunk = small.chunk
        for row, time_ms in enumerate(chunk.times):
            made._insert(chunk.digest(row), time_ms, chunk.sum_before(row + 1) - chunk.sum_before(row))
        told: dict[bytes, int] = {}
        for digest, time_ms, truth_time_ms, revision, label, is_here in small.truths:
            table = made._truths_of(digest, change=True)
            table.append(digest, time_ms, (truth_time_ms, revision, label), is_here=is_here)
            made._waiting += not is_here
            if is_here:
                told[digest] = time_ms
        for digest, time_ms in told.items():
            truths = [truth for _, truth in made._truths_of(digest, change=False).told(digest, made.horizon_ms)]
            made._change_frauds(digest, time_ms, [], known_as_fraud(truths))
        return made

    def encode(self) -> bytes:
        """Write what changed beside the header, and return the header."""
        self._events.expire(self.horizon_ms)
        self._settled.expire(self.horizon_ms)
        self._settle()
        for key in self._changed:
            number = int(key[1:])
            self._parts[self._key(key)] = (
                bytes(self._buckets[number]) if key[0] == "k" else self._tables[number].encode()
            )
        self._changed.clear()
        head = HEADER.pack(
            SCHEMA, LARGE, len(self._open), self.greatest_ms, self.amounts_since_ms, self._any_settled, self._waiting
        )
        frauds = [OPEN_FRAUD.pack(*fraud) for fraud in self._open]
        return b"".join((head, *frauds, self._events.encode(), self._settled.encode()))

    @property
    def size(self) -> int:
        """About how many bytes the entity has, all its parts together."""
        return self._events.last_count * EVENT_BYTES

    @property
    def oldest_ms(self) -> int | None:
        """Time of the oldest transaction that is kept; None where there is none."""
        first = next(self._events.between(self.horizon_ms - 1, self.greatest_ms), None)
        return None if first is None else first[0].times[first[1]]

    def keys(self) -> Iterable[str]:
        """Return the keys of all parts that may be there."""
        yield from self._events.keys()
        yield from self._settled.keys()
        for kind in "kt":
            yield from (self._key(f"{kind}{number}") for number in range(BUCKETS))

    def holds(self, digest: bytes) -> bool:
        """Say whether a transaction is known."""
        return self._known_ms(digest) is not None

    def before(self, times_ms: Sequence[int], *, sums: bool) -> list[tuple[int, int]]:
        """Count by the chunks that hold these times."""
        last = self.horizon_ms - 1
        return self._events.before([time_ms if time_ms > last else last for time_ms in times_ms], sums=sums)

    def amounts(self, after_ms: int, to_ms: int) -> list[float]:
        """Return the amounts of the transactions in (after, to]; reads every chunk between."""
        found: list[float] = []
        for chunk, start, end in self._events.between(max(after_ms, self.horizon_ms - 1), to_ms):
            found += chunk.amounts(start, end)
        return found

    def newest_ms(self, to_ms: int, skip: int) -> int | None:
        """Return the time of the newest transaction up to a time, after skipping some."""
        found = self._events.newest_ms(to_ms, skip)
        return None if found is None or found < self.horizon_ms else found

    def frauds(self, after_ms: int, to_ms: int, known_at_ms: int) -> int:
        """Return how many transactions in (after, to] were frauds as known at a time."""
        last = self.horizon_ms - 1
        after_ms, to_ms = max(after_ms, last), max(to_ms, last)
        found = self._settled_known(after_ms, to_ms, known_at_ms) if self._any_settled else 0
        if not self._open:
            return found
        return found + sum(
            after_ms < time_ms <= to_ms and since_ms <= known_at_ms < until_ms
            for time_ms, since_ms, until_ms, _ in self._open
        )

    def _settled_known(self, after_ms: int, to_ms: int, known_at_ms: int) -> int:
        if known_at_ms >= self.greatest_ms - SETTLED_MS:
            return self._settled_before(to_ms) - self._settled_before(after_ms)
        return sum(
            since_ms <= known_at_ms
            for chunk, start, end in self._settled.between(after_ms, to_ms)
            for since_ms in chunk.scaled_amounts(start, end)
        )

    def _settled_before(self, time_ms: int) -> int:
        found = self._settled_until.get(time_ms)
        if found is None:
            if len(self._settled_until) > EDGES_REMEMBERED:
                self._settled_until.clear()
            ((found, _),) = self._settled.before((time_ms,), sums=False)
            self._settled_until[time_ms] = found
        return found

    def _key(self, name: str) -> str:
        return f"{name}\x00{self._entity}"

    def waiting_truths(self) -> Iterator[tuple[bytes, int, ToldTruth]]:
        """Yield what was told of transactions that are not here; reads every bucket."""
        for number in range(BUCKETS):
            yield from self._table(number).waiting()

    def _advanced(self) -> None:
        """Nothing: what has expired is left out by every question."""

    def _insert(self, digest: bytes, time_ms: int, amount: int) -> None:
        self._events.add(time_ms, digest, amount)
        number = _bucket(digest)
        bucket, horizon_ms, expired = self._bucket(number), self.horizon_ms, 0
        # records are about in order of time: what has expired is at the front
        while expired < len(bucket) and KNOWN.unpack_from(bucket, expired)[1] < horizon_ms:
            expired += KNOWN.size
        if expired:
            del bucket[:expired]
        bucket += KNOWN.pack(digest, time_ms)
        self._changed.add(f"k{number}")

    def _bucket(self, number: int) -> bytearray:
        bucket = self._buckets.get(number)
        if bucket is None:
            bucket = self._buckets[number] = bytearray(self._parts.get(self._key(f"k{number}"), b""))
        return bucket

    def _known_ms(self, digest: bytes, hint_ms: int | None = None) -> int | None:
        """Return the event time of a transaction that is kept; of two, the one at the hint or else the first."""
        bucket, found = self._bucket(_bucket(digest)), None
        at = bucket.find(digest)
        if at < 0:
            return None
        at = find_digest(bucket, digest, 0, KNOWN.size)
        while at >= 0:
            time_ms = KNOWN.unpack_from(bucket, at)[1]
            if time_ms >= self.horizon_ms and (found is None or time_ms == hint_ms):
                found = int(time_ms)
            at = find_digest(bucket, digest, at + KNOWN.size, KNOWN.size)
        return found

    def _time_of(self, digest: bytes, time_ms: int) -> int | None:
        return self._known_ms(digest, time_ms)

    def _truths_of(self, digest: bytes, *, change: bool) -> TruthRecords:
        number = _bucket(digest)
        table = self._table(number)
        if change:
            self._waiting -= table.drop_before(self.horizon_ms)
            self._changed.add(f"t{number}")
        return table

    def _table(self, number: int) -> TruthRecords:
        table = self._tables.get(number)
        if table is None:
            table = self._tables[number] = TruthRecords(self._parts.get(self._key(f"t{number}"), b""))
        return table

    def _change_frauds(
        self, digest: bytes, time_ms: int, before: list[tuple[int, int]], after: list[tuple[int, int]]
    ) -> None:
        for since_ms, until_ms in before:
            fraud = (time_ms, since_ms, until_ms, digest)
            if fraud in self._open:
                self._open.remove(fraud)
            elif until_ms == FOREVER:
                self._settled.remove(time_ms, digest)
                self._settled_until.clear()
        self._open += [(time_ms, since_ms, until_ms, digest) for since_ms, until_ms in after]

    def _settle(self) -> None:
        """Move frauds that have been known long enough to the sequence; forget those that have expired.

        One that is over stays open: an event before its end, however far out of order, finds it a fraud.
        """
        known_ms, still_open = self.greatest_ms - SETTLED_MS, []
        for fraud in self._open:
            time_ms, since_ms, until_ms, digest = fraud
            if time_ms < self.horizon_ms:
                continue
            if until_ms == FOREVER and since_ms <= known_ms:
                self._settled.add(time_ms, digest, since_ms)
                self._any_settled = 1
                self._settled_until.clear()
            else:
                still_open.append(fraud)
        self._open = still_open


def _bucket(digest: bytes) -> int:
    return (digest[0] << 8 | digest[1]) % BUCKETS
