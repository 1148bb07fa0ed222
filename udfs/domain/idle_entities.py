"""Removes entities that no event has been about for longer than they are kept."""

from __future__ import annotations

import struct
from collections.abc import MutableMapping

from udfs.domain.large_history import LARGE, LargeHistory
from udfs.domain.small_history import SCHEMA
from udfs.domain.window_names import DAY_MS

__all__ = ["SWEEP_MS", "next_sweep_ms", "remove_idle"]

SWEEP_MS = 7 * DAY_MS
"""Event time between two looks at all entities of a shard: seldom enough for a replay of months, too."""
GREATEST = struct.Struct("<q")
GREATEST_AT = 8
"""Where the greatest event time stands in a value of every schema so far."""


def next_sweep_ms(time_ms: int) -> int:
    """Return when to look next, as event time; the same for all events of a week, so one timer is set.

    Examples
    --------
    >>> next_sweep_ms(0), next_sweep_ms(7 * 86_400_000 - 1), next_sweep_ms(7 * 86_400_000)
    (604800000, 604800000, 1209600000)
    """
    return (time_ms // SWEEP_MS + 1) * SWEEP_MS


def remove_idle(
    state: MutableMapping[str, bytes], parts: MutableMapping[str, bytes], *, keep_ms: int, now_ms: int
) -> int:
    """Remove the entities all of whose transactions have expired for a day, and return how many are left.

    Parameters
    ----------
    state, parts
        The shard's entities, and what lies beside large ones; changed in place.
    keep_ms
        How long a transaction is kept.
    now_ms
        Event time now. An event up to a day ahead of others is legal, hence the day.
    """
    left, before_ms = 0, now_ms - keep_ms - DAY_MS
    for entity in list(state):
        if not entity:  # what the shard itself remembers
            continue
        data = state[entity]
        if GREATEST.unpack_from(data, GREATEST_AT)[0] >= before_ms:
            left += 1
            continue
        if data[0] == SCHEMA and data[1] == LARGE:
            for key in LargeHistory(keep_ms, entity, parts, data).keys():
                parts.pop(key, None)
        del state[entity]
    return left
