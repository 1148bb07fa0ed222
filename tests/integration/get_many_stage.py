"""A stage that reads its map state both ways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyflink.common import Row
from pyflink.datastream import KeyedProcessFunction

from udfs.domain.payload import encode
from udfs.operators.descriptors import CUSTOMERS
from udfs.operators.state_entries import StateEntries

__all__ = ["GetManyStage"]


class GetManyStage(KeyedProcessFunction):
    """Says what entries are there, one by one and at once, before it writes those it is given; ``-`` removes one."""

    def open(self, ctx: Any) -> None:
        self._plain = ctx.get_map_state(CUSTOMERS)
        self._state = StateEntries(self._plain)

    def process_element(self, names: str, ctx: Any) -> Iterator[Any]:
        given = names.split()
        keys = sorted({name.removeprefix("-") for name in given})
        one_by_one = [self._plain.get(key) for key in keys]
        at_once = [None if value is None else value.hex() for value in self._state.get_many(keys)]
        with self._state.batch(keys) as batch:
            for name in given:
                if name.startswith("-"):
                    batch.pop(name[1:], None)
                else:
                    batch[name] = f"{ctx.get_current_key()}-{name}".encode()
        said = [None if value is None else value.hex() for value in one_by_one]
        yield Row(names, encode({"one_by_one": said, "at_once": at_once, "key": ctx.get_current_key()}))
