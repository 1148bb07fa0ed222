"""What one call reads and writes of a shard's map state: read at once, written at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from udfs.operators.state_entries import StateEntries

__all__ = ["StateBatch"]


class StateBatch(MutableMapping[str, bytes]):
    """A mapping for a domain function that touches many entries of the current key.

    A context manager: what was written goes to state when the block ends without an error. Every access to state gives
    the interpreter's lock away, and the stages of a TaskManager share it: one access for a batch instead of two for each
    entry.

    Parameters
    ----------
    state
        The map state.
    keys
        What will be read, at once. Another key is read when it is asked for.
    """

    __slots__ = ("_changed", "_state", "_values")

    def __init__(self, state: StateEntries, keys: Iterable[str]) -> None:
        self._state = state
        names = list(keys)
        self._values: dict[str, bytes | None] = dict(zip(names, state.get_many(names), strict=True))
        self._changed: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed is None:
            self.commit()

    def commit(self) -> None:
        """Write what changed."""
        written = {key: value for key in self._changed if (value := self._values[key]) is not None}
        if written:
            self._state.put_many(written)
        for key in self._changed - written.keys():
            del self._state[key]
        self._changed.clear()

    def __getitem__(self, key: str) -> bytes:
        value: bytes | None = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401
        """Return the entry or the default."""
        if key not in self._values:
            self._values[key] = self._state.get(key)
        value = self._values[key]
        return default if value is None else value

    def __setitem__(self, key: str, value: bytes) -> None:
        self._values[key] = value
        self._changed.add(key)

    def __delitem__(self, key: str) -> None:
        self._values[key] = None
        self._changed.add(key)

    def __iter__(self) -> Iterator[str]:
        self.commit()
        return iter(self._state)

    def __len__(self) -> int:
        self.commit()
        return len(self._state)
