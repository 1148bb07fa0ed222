"""The events of a large entity: chunks of at most 256 in keyed state, of which only those at a window's edges are read.

A directory, one more entry, knows for each chunk its first time and the count and sum of all before it. It is read only
when an edge moves into another chunk; where the edges were last stands in the header, so an event that moves each edge of
its windows by one reads one chunk per edge.
"""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, MutableMapping

from udfs.domain.event_chunk import CHUNK_EVENTS, EventChunk
from udfs.domain.event_directory import FOREVER, ChunkPlace, EventDirectory

__all__ = ["EventSequence"]

HEAD = struct.Struct("<IIqQ")
"""Next chunk number, number of places kept, first time of the second chunk (what may expire), count of events in chunks
that are gone; then the places."""
PLACE = struct.Struct("<qqIQQQ")
PLACES_KEPT = 8


class EventSequence:
    """Events sorted by time, in any number.

    Parameters
    ----------
    parts
        The keyed state of all entities' chunks; written by ``encode`` and by the operations that move chunks.
    name
        The first part of the keys, for two sequences of one entity.
    entity
        The last part of the keys.
    data
        What ``encode`` returned; None for a sequence without events.
    """

    __slots__ = (
        "_changed",
        "_chunks",
        "_expired",
        "_head",
        "_name",
        "_next",
        "_parts",
        "_places",
        "_second_ms",
        "_suffix",
        "_views",
    )

    def __init__(
        self, parts: MutableMapping[str, bytes], name: str, entity: str, data: memoryview | None = None
    ) -> None:
        self._parts, self._name, self._suffix = parts, name, f"\x00{entity}"
        self._chunks: dict[int, EventChunk] = {}
        self._views: dict[int, tuple[memoryview, bytes]] = {}
        self._changed: set[int] = set()
        self._head: bytes | None = None
        self._places: list[ChunkPlace]
        if data is None:
            self._next, self._expired = 1, 0
            self._chunks[0] = EventChunk()
            self._changed.add(0)
            directory = EventDirectory()
            self._write(directory)
            self._places = [directory.place(-1)]
            return
        self._head = bytes(data[: self.size(data)])
        self._next, _, self._second_ms, self._expired = HEAD.unpack_from(data)
        self._places = list(PLACE.iter_unpack(self._head[HEAD.size :]))

    def encode(self) -> bytes:
        """Write the changed chunks, and return the header."""
        for number in self._changed:
            self._parts[self._key(number)] = self._chunks[number].encode()
        self._changed.clear()
        if self._head is None:
            head = HEAD.pack(self._next, len(self._places), self._second_ms, self._expired)
            self._head = head + b"".join([PLACE.pack(*place) for place in self._places])
        return self._head

    @staticmethod
    def size(data: memoryview) -> int:
        """Return how many bytes of a header ``encode`` made."""
        return HEAD.size + PLACE.size * int(HEAD.unpack_from(data)[1])

    def before(self, times_ms: Iterable[int], *, sums: bool = True) -> list[tuple[int, int]]:
        """Return for each time count and, if wanted, running sum of the events up to it, itself included."""
        found = []
        for time_ms in times_ms:
            for place in self._places:
                if place[0] <= time_ms < place[1]:
                    break
            else:
                place = self._look_up(time_ms)
            chunk = self._chunks.get(place[2])
            if chunk is None:
                times, data = self._views.get(place[2]) or self._view(place[2])
                row = bisect_right(times, time_ms)
                at = 8 * len(times) + 16 * row
                total = int.from_bytes(data[at : at + 16], "little") if sums else 0
            else:
                row = bisect_right(chunk.times, time_ms)
                total = chunk.sum_before(row) if sums else 0
            found.append((place[3] + row, total + (place[4] | place[5] << 64) if sums else 0))
        return found

    def add(self, time_ms: int, digest: bytes, amount: int) -> None:
        """Take in an event behind those of the same millisecond."""
        _, to_ms, number, *_ = self._place(time_ms)
        chunk = self._chunk(number)
        chunk.insert(time_ms, digest, amount)
        self._changed.add(number)
        if to_ms != FOREVER:
            self._count_more(number, 1, amount)
        if len(chunk) > CHUNK_EVENTS:
            self._split(number, chunk)

    def remove(self, time_ms: int, digest: bytes) -> bool:
        """Take out the event at a time with a digest; False where there is none."""
        place = self._place(time_ms)
        while True:
            from_ms, to_ms, number, *_ = place
            chunk = self._chunk(number)
            for row in range(bisect_left(chunk.times, time_ms), bisect_right(chunk.times, time_ms)):
                if chunk.digest(row) == digest:
                    amount = chunk.remove(row)
                    self._changed.add(number)
                    if to_ms != FOREVER:
                        self._count_more(number, -1, -amount)
                    return True
            if from_ms != time_ms:
                return False
            # events of one millisecond may lie in two chunks
            directory = self._read()
            place = directory.place(directory.index_of(number) - 1)

    def expire(self, before_ms: int) -> None:
        """Forget chunks all of whose events are before a time."""
        if self._second_ms >= before_ms:
            return
        directory = self._read()
        dropped = set(directory.drop_before(before_ms))
        self._expired = directory.place(0)[3]
        for number in dropped:
            self._parts.pop(self._key(number), None)
            self._chunks.pop(number, None)
            self._views.pop(number, None)
        self._changed -= dropped
        self._places = [place for place in self._places if place[2] not in dropped]
        self._write(directory)

    def between(self, after_ms: int, to_ms: int) -> Iterator[tuple[EventChunk, int, int]]:
        """Yield each chunk with events in (after, to], with its first row and the one behind its last."""
        directory = self._read()
        numbers = directory.numbers
        for number in numbers[max(0, directory.index_at(after_ms)) : directory.index_at(to_ms) + 1]:
            chunk = self._chunk(number)
            start, end = bisect_right(chunk.times, after_ms), bisect_right(chunk.times, to_ms)
            if start < end:
                yield chunk, start, end

    @property
    def last_count(self) -> int:
        """How many events are kept, to within a chunk."""
        return self._places[-1][3] - self._expired

    def newest_ms(self, to_ms: int, skip: int) -> int | None:
        """Return the time of the newest event up to a time, after skipping some; None where there is none."""
        directory = self._read()
        for index in range(directory.index_at(to_ms), -1, -1):
            chunk = self._chunk(directory.place(index)[2])
            row = bisect_right(chunk.times, to_ms) - 1 - skip
            if row >= 0:
                return chunk.times[row]
            skip = -1 - row
        return None

    def keys(self) -> list[str]:
        """Return the keys of all parts."""
        return [f"{self._name}{self._suffix}", *(self._key(number) for number in self._read().numbers)]

    def _key(self, number: int) -> str:
        return f"{self._name}{number}{self._suffix}"

    def _chunk(self, number: int) -> EventChunk:
        chunk = self._chunks.get(number)
        if chunk is None:
            chunk = self._chunks[number] = EventChunk(self._parts[self._key(number)])
        return chunk

    def _view(self, number: int) -> tuple[memoryview, bytes]:
        """Return times and bytes of a chunk that is only read."""
        data = self._parts[self._key(number)]
        view = self._views[number] = (memoryview(data)[: 8 * EventChunk.count(len(data))].cast("q"), data)
        return view

    def _place(self, time_ms: int) -> ChunkPlace:
        for place in reversed(self._places):
            if place[0] <= time_ms < place[1]:
                return place
        return self._look_up(time_ms)

    def _look_up(self, time_ms: int) -> ChunkPlace:
        directory = self._read()
        found = directory.place(directory.index_at(time_ms))
        # the newest chunk's place stays the last; of the others the one looked up longest ago goes
        self._places.insert(len(self._places) - 1, found)
        self._keep_places()
        return found

    def _keep_places(self) -> None:
        del self._places[: max(0, len(self._places) - PLACES_KEPT)]
        self._head = None

    def _count_more(self, number: int, events: int, amount: int) -> None:
        directory = self._read()
        directory.count_more(directory.index_of(number) + 1, events, amount)
        self._write(directory)
        self._places = [directory.place(-1)]
        self._keep_places()

    def _split(self, number: int, chunk: EventChunk) -> None:
        """Cut a full chunk: the newest at its end, since events mostly come in order; any other one in its middle."""
        directory = self._read()
        at = directory.index_of(number)
        place, newest = directory.place(at), at == len(directory) - 1
        rest = chunk.split(CHUNK_EVENTS if newest else len(chunk) // 2)
        self._chunks[self._next] = rest
        self._changed.add(number)
        self._changed.add(self._next)
        count, total = place[3] + len(chunk), (place[4] | place[5] << 64) + chunk.total
        directory.insert(at + 1, self._next, rest.times[0], count, total)
        self._next += 1
        self._write(directory)
        self._places[-1:] = [directory.place(at), directory.place(at + 1)] if newest else [directory.place(-1)]
        if not newest:
            del self._places[:-1]
        self._keep_places()

    def _read(self) -> EventDirectory:
        return EventDirectory(self._parts[f"{self._name}{self._suffix}"])

    def _write(self, directory: EventDirectory) -> None:
        self._second_ms = directory.second_ms
        self._head = None
        self._parts[f"{self._name}{self._suffix}"] = directory.encode()
