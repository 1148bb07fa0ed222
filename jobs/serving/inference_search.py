"""Finds the inferences of one transaction in the topic, the newest first, without reading more of it than needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from connectors.kafka.record import Record

__all__ = ["InferenceSearch"]

STEP = 20_000
OVERLAP = 2_000
"""All roles of a transaction are written in one batch; so far before the first one found the others are looked for."""

Read = Callable[[Mapping[int, int], Mapping[int, int]], Iterator[Record]]


class InferenceSearch:
    """Searches a topic backwards from its end, all partitions a step at a time.

    Parameters
    ----------
    ends
        Returns the committed end of each partition.
    read
        Yields committed records: from these offsets, up to those, of the partitions named by both.
    """

    def __init__(self, ends: Callable[[], Mapping[int, int]], read: Read) -> None:
        self._ends, self._read = ends, read

    def find(self, transaction_id: str) -> list[dict[str, Any]]:
        """Return the committed inferences of a transaction, the champion's first; none where there is none.

        One for each role, the newest: a stream that was scored again from its beginning has older ones, too.

        Raises
        ------
        ConnectionLostError
            If the broker does not answer.
        """
        until, found = dict(self._ends()), list[dict[str, Any]]()
        while not found and any(until.values()):
            begin = {partition: max(0, end - STEP) for partition, end in until.items()}
            found = self._between(begin, until, transaction_id)
            if found:
                before = {partition: max(0, offset - OVERLAP) for partition, offset in begin.items()}
                found = self._between(before, begin, transaction_id) + found
            until = begin
        newest = {each["role"]: each for each in found}
        return sorted(newest.values(), key=lambda each: (each["role"] != "champion", each["role"]))

    def _between(self, begin: Mapping[int, int], until: Mapping[int, int], transaction_id: str) -> list[dict[str, Any]]:
        needle, key = transaction_id.encode(), transaction_id
        mine = []
        for record in self._read(begin, until):
            if record.value is not None and record.key == needle:
                inference = orjson.loads(record.value)
                if inference.get("transaction_id") == key:
                    mine.append(inference)
        return mine
