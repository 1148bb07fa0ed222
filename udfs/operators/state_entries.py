"""Flink's map state seen as a Python mapping, so that domain functions take a plain ``dict`` in tests and state here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from functools import cached_property
from typing import Any

from udfs.operators.java_get_many import java_get_many
from udfs.operators.state_batch import StateBatch

__all__ = ["StateEntries"]


class StateEntries(MutableMapping[str, bytes]):
    """A mutable mapping over a ``MapState[str, bytes]`` of the current key.

    Reads and writes go to state each time; a caller that touches many entries takes a :meth:`batch` of them.
    """

    def __init__(self, state: Any) -> None:  # noqa: ANN401
        self._state = state

    def batch(self, keys: Iterable[str]) -> StateBatch:
        """Return a mapping that has read these entries at once, and writes at once at the end of its block."""
        return StateBatch(self, keys)

    def get_many(self, keys: list[str]) -> Sequence[bytes | None]:
        """Return entries with one access to state, None for each that is not there."""
        if len(keys) < 2 or self._java_get_many is None:
            return [self._state.get(key) for key in keys]
        return self._java_get_many(keys)

    def put_many(self, entries: dict[str, bytes]) -> None:
        """Write entries with one access to state."""
        self._state.put_all(entries)

    @cached_property
    def _java_get_many(self) -> Callable[[list[str]], Sequence[bytes | None]] | None:
        # made when first needed: most states are only ever read entry by entry
        return java_get_many(self._state)

    def __getitem__(self, key: str) -> bytes:
        value = self._state.get(key)
        if value is None:
            raise KeyError(key)
        return bytes(value)

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401
        """Return the entry or the default with one access to state."""
        value = self._state.get(key)
        return default if value is None else value

    def __setitem__(self, key: str, value: bytes) -> None:
        self._state.put(key, value)

    def __delitem__(self, key: str) -> None:
        self._state.remove(key)

    def __contains__(self, key: object) -> bool:
        return bool(self._state.contains(key))

    def clear(self) -> None:
        """Remove every entry at once."""
        self._state.clear()

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._state.keys()))

    def __len__(self) -> int:
        return sum(1 for _ in self._state.keys())
