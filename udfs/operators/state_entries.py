"""Flink's map state seen as a Python mapping, so that domain functions take a plain ``dict`` in tests and state here."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

__all__ = ["StateEntries"]


class StateEntries(MutableMapping[str, bytes]):
    """A mutable mapping over a ``MapState[str, bytes]`` of the current key.

    Reads go to state each time; a caller that needs an entry twice in a batch keeps it itself.
    """

    def __init__(self, state: Any) -> None:  # noqa: ANN401
        self._state = state

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
