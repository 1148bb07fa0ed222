"""The histories of a batch: each read once from keyed state, in whatever form it lies there, and written once."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping

from udfs.domain.entity_history import EntityHistory
from udfs.domain.large_history import LARGE, LargeHistory
from udfs.domain.small_history import SCHEMA, SmallHistory
from udfs.domain.state_schema import check_schema

__all__ = ["EntityHistories"]

SMALL_EVENTS = 512
"""Up to so many transactions one value of 20 KiB costs less than the chunks beside a header."""


class EntityHistories:
    """The histories of the entities a batch is about.

    Parameters
    ----------
    state
        The shard's state: one value per entity.
    parts
        Chunks and buckets of large entities. Their keys hold a NUL behind a letter and a number, so this may be the same
        mapping as ``state`` where no identifier does (training, tests).
    keep_ms
        How long a transaction is kept.
    from_schema_1
        Reads what version 0.1.0 wrote.

    Raises
    ------
    JobError
        From ``of``, if a value has a schema that this code does not know.
    """

    __slots__ = ("_changed", "_from_schema_1", "_keep_ms", "_opened", "_parts", "_state")

    def __init__(
        self,
        state: MutableMapping[str, bytes],
        parts: MutableMapping[str, bytes],
        keep_ms: int,
        from_schema_1: Callable[[int, bytes], SmallHistory],
    ) -> None:
        self._state, self._parts, self._keep_ms, self._from_schema_1 = state, parts, keep_ms, from_schema_1
        self._opened: dict[str, EntityHistory] = {}
        self._changed: set[str] = set()

    def of(self, entity: str) -> EntityHistory:
        """Return an entity's history."""
        history = self._opened.get(entity)
        if history is None:
            history = self._opened[entity] = self._open(entity, self._state.get(entity))
        return history

    def changed(self, entity: str) -> None:
        """Note that a history is to be written."""
        self._changed.add(entity)

    def write(self) -> list[int]:
        """Write every changed history to the state, and return about how many bytes each has."""
        sizes = []
        for entity in self._changed:
            history = self._opened[entity]
            if isinstance(history, SmallHistory) and len(history.times) - history.first > SMALL_EVENTS:
                history = LargeHistory.of(history, self._keep_ms, entity, self._parts)
            self._state[entity] = value = history.encode()
            sizes.append(len(value) if isinstance(history, SmallHistory) else history.size)
        return sizes

    def _open(self, entity: str, data: bytes | None) -> EntityHistory:
        if data is None:
            return SmallHistory(self._keep_ms)
        schema, form = data[0], data[1]
        if schema == SCHEMA:
            if form == LARGE:
                return LargeHistory(self._keep_ms, entity, self._parts, data)
            return SmallHistory(self._keep_ms, data)
        if schema == 1:
            return self._from_schema_1(self._keep_ms, data)
        check_schema(schema, SCHEMA, "an entity")
        raise AssertionError
