"""The weekly event-time timer of a window stage that removes idle entities."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from udfs.domain.idle_entities import SWEEP_MS, next_sweep_ms, remove_idle

__all__ = ["Sweeps"]

END_OF_TIME_MS = (1 << 63) - 1


class Sweeps:
    """Timers that remove idle entities of the current key.

    Parameters
    ----------
    keep_ms
        How long a transaction is kept.
    """

    def __init__(self, keep_ms: int) -> None:
        self._keep_ms = keep_ms
        self._set: dict[str, int] = {}

    def set(self, entity: str, time_ms: int, ctx: Any) -> None:  # noqa: ANN401
        """Set the timer of the week an event is in; an entity is asked for once a week, the timer is one per shard."""
        week = time_ms // SWEEP_MS
        if self._set.get(entity, -1) < week:
            if len(self._set) > 100_000:
                self._set.clear()
            self._set[entity] = week
            ctx.timer_service().register_event_time_timer(next_sweep_ms(time_ms))

    def sweep(
        self,
        state: MutableMapping[str, bytes],
        parts: MutableMapping[str, bytes],
        timestamp_ms: int,
        ctx: Any,  # noqa: ANN401
    ) -> None:
        """Remove idle entities if this is the week's timer, and come again while there are others."""
        if timestamp_ms % SWEEP_MS:
            return
        left = remove_idle(state, parts, keep_ms=self._keep_ms, now_ms=timestamp_ms)
        # at the end of a bounded input the watermark is the end of time: there is no next week then
        if left and ctx.timer_service().current_watermark() < END_OF_TIME_MS:
            ctx.timer_service().register_event_time_timer(timestamp_ms + SWEEP_MS)
