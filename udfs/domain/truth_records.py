"""What was told about an entity's transactions, as records: frauds and corrections, each with the time it is known from."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from udfs.domain.transaction_digest import DIGEST_BYTES, find_digest

__all__ = ["ToldTruth", "TruthRecords"]

RECORD = struct.Struct(f"<{DIGEST_BYTES}sqqiBB2x")
"""Digest, event time (the transaction's once it is here), truth time, revision, label, whether the transaction is
here."""
IS_HERE = RECORD.size - 3
"""Where in the record that last flag lies."""
ToldTruth = tuple[int, int, int]
"""Truth time, revision, label."""


class TruthRecords:
    """Truths of some transactions of one entity.

    Parameters
    ----------
    data
        What ``encode`` returned.
    """

    __slots__ = ("_data",)

    def __init__(self, data: bytes | memoryview = b"") -> None:
        self._data = bytearray(data)

    def __len__(self) -> int:
        return len(self._data) // RECORD.size

    @staticmethod
    def size(records: int) -> int:
        """Return how many bytes so many records have."""
        return RECORD.size * records

    def encode(self) -> bytes:
        """Return the records one after the other."""
        return bytes(self._data)

    def told(self, digest: bytes, horizon_ms: int) -> list[tuple[int, ToldTruth]]:
        """Return place and content of every truth about a transaction that is not older than what is kept."""
        found = []
        at = find_digest(self._data, digest, 0, RECORD.size)
        while at >= 0:
            _, time_ms, truth_time_ms, revision, label, _ = RECORD.unpack_from(self._data, at)
            if time_ms >= horizon_ms:
                found.append((at, (truth_time_ms, revision, label)))
            at = find_digest(self._data, digest, at + RECORD.size, RECORD.size)
        return found

    def joined_ms(self, places: list[int]) -> int | None:
        """Return the event time of the transaction that one of these truths belongs to; None while it is not here."""
        here = next((at for at in places if self._data[at + IS_HERE]), None)
        return None if here is None else int(RECORD.unpack_from(self._data, here)[1])

    def append(self, digest: bytes, time_ms: int, told: ToldTruth, *, is_here: bool) -> None:
        """Keep a truth."""
        self._data += RECORD.pack(digest, time_ms, *told, is_here)

    def join(self, digest: bytes, time_ms: int, horizon_ms: int) -> list[ToldTruth]:
        """Give the truths that waited for a transaction its time, and return them."""
        waiting = [(at, truth) for at, truth in self.told(digest, horizon_ms) if not self._data[at + IS_HERE]]
        for at, truth in waiting:
            RECORD.pack_into(self._data, at, digest, time_ms, *truth, True)
        return [truth for _, truth in waiting]

    def drop_before(self, horizon_ms: int) -> int:
        """Forget truths about transactions before a time; return how many of these had waited in vain."""
        records = list(RECORD.iter_unpack(self._data))
        kept = [record for record in records if record[1] >= horizon_ms]
        if len(kept) == len(records):
            return 0
        self._data = bytearray().join(RECORD.pack(*record) for record in kept)
        return sum(not record[5] for record in records) - sum(not record[5] for record in kept)

    def waiting(self) -> Iterator[tuple[bytes, int, ToldTruth]]:
        """Yield digest, event time it names and content of every truth whose transaction is not here."""
        for digest, time_ms, truth_time_ms, revision, label, is_here in RECORD.iter_unpack(self._data):
            if not is_here:
                yield digest, time_ms, (truth_time_ms, revision, label)

    def __iter__(self):  # type: ignore[no-untyped-def] # noqa: ANN204
        return RECORD.iter_unpack(self._data)
