"""Events in event order: kept in state until the watermark has passed the source window they belong to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from udfs.domain.payload import decode, encode
from udfs.operators.descriptors import HELD_BACK
from udfs.operators.stage_settings import StageSettings
from udfs.operators.state_entries import StateEntries

__all__ = ["HeldBack"]

Item = TypeVar("Item")


class HeldBack:
    """What a shard holds back, by the watermark that releases it; an event-time timer is set for each.

    Parameters
    ----------
    ctx
        The operator's runtime context.
    settings
        Tell the length of a source window.
    """

    def __init__(self, ctx: Any, settings: StageSettings) -> None:  # noqa: ANN401
        self._state = StateEntries(ctx.get_map_state(HELD_BACK))
        self._settings = settings

    def sift(self, items: Iterable[Item], time_ms: Callable[[Item], int], ctx: Any) -> list[Item]:  # noqa: ANN401
        """Return the items that are behind the watermark already, and hold the others, which must be JSON-able.

        Parameters
        ----------
        items
            Of the current key.
        time_ms
            Tells an item's event time, epoch milliseconds.
        ctx
            Of the call to ``process_element``.
        """
        timers = ctx.timer_service()
        watermark_ms = timers.current_watermark()
        behind: list[Item] = []
        waiting: dict[int, list[Item]] = defaultdict(list)
        for item in items:
            release_ms = self._settings.release_time_ms(time_ms(item))
            (behind if release_ms <= watermark_ms else waiting[release_ms]).append(item)
        for release_ms, group in waiting.items():
            held = self._state.get(str(release_ms))
            self._state[str(release_ms)] = encode((decode(held) if held else []) + group)
            timers.register_event_time_timer(release_ms)
        return behind

    def release(self, timestamp_ms: int) -> list[Any]:
        """Let go of what the current key holds for a timer, in order of arrival; nothing for a timer of another purpose."""
        held = self._state.pop(str(timestamp_ms), None)
        return [] if held is None else decode(held)
