"""Removes entities that no event has been about for longer than they are kept."""

from __future__ import annotations

import struct
from collections.abc import MutableMapping

from udfs.domain.entity_history import EntityHistory
from udfs.domain.large_history import LARGE, LargeHistory
from udfs.domain.small_history import SCHEMA, SmallHistory
from udfs.domain.window_names import DAY_MS

__all__ = ["SWEEP_MS", "next_sweep_ms", "remove_idle"]

SWEEP_MS = 7 * DAY_MS
"""Event time between two looks at all entities of a shard: seldom enough for a replay of months, too."""
GREATEST = struct.Struct("<q")
GREATEST_AT = 8
"""Where the greatest event time stands in a value of every schema so far."""
WAITING = struct.Struct("<I")
WAITING_AT = 28
"""Where the number of truths without transaction stands in a value of schema 2; in one of schema 1 the greatest event time
is theirs, too."""


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

    An entity stays where a truth waits for a transaction that would not have expired, with such truths alone.

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
        is_large = data[0] == SCHEMA and data[1] == LARGE
        history = LargeHistory(keep_ms, entity, parts, data) if is_large else None
        waiting = data[0] == SCHEMA and WAITING.unpack_from(data, WAITING_AT)[0]
        rest = _told_since(history or SmallHistory(keep_ms, data), before_ms, keep_ms) if waiting else None
        if history is not None:
            for key in history.keys():
                parts.pop(key, None)
        if rest is None:
            del state[entity]
        else:
            state[entity] = rest
            left += 1
    return left


def _told_since(history: EntityHistory, since_ms: int, keep_ms: int) -> bytes | None:
    """Return the value of an entity of which only truths about transactions to come are known; None without any."""
    waiting = [each for each in history.waiting_truths() if each[1] >= since_ms]
    rest = SmallHistory(keep_ms)
    for digest, time_ms, told in waiting:
        rest.add_truth(digest, time_ms, told)
    return rest.encode() if waiting else None
