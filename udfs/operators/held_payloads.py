"""Payloads that wait in keyed state until the watermark is about to move."""

from __future__ import annotations

from typing import Any, NamedTuple

from udfs.operators.descriptors import HELD_AS_TEXT, HELD_FOR_WATERMARK

__all__ = ["HeldPayloads", "Released"]

HELD_MS = 500
"""How long payloads wait at most where no watermark comes; live ones come every 200 ms."""
NEVER, END_OF_TIME_MS = -(1 << 63), (1 << 63) - 1


class Released(NamedTuple):
    """What a timer let go.

    Parameters
    ----------
    payloads
        In order of arrival; none when nothing was held.
    watermark_ms
        The watermark when they came, epoch milliseconds.
    is_its_timer
        Whether the timer was set for nothing else.
    """

    payloads: list[bytes | str]
    watermark_ms: int
    is_its_timer: bool


class HeldPayloads:
    """Makes one large batch of many small ones, without letting the watermark overtake any of them.

    A window in front of an operator would: the watermark passes by what it holds. Here the payloads are the operator's
    own state, and a timer of event time one millisecond ahead of the watermark fires before a higher watermark is
    handed on, so what they bring still goes out in front of it. A processing-time timer takes over where event time
    stands still. After a restart they count as having come at the beginning of time, which makes nothing late.

    Parameters
    ----------
    ctx
        The operator's runtime context.
    """

    def __init__(self, ctx: Any) -> None:  # noqa: ANN401
        self._state = ctx.get_list_state(HELD_FOR_WATERMARK)
        self._text = ctx.get_list_state(HELD_AS_TEXT)
        self._came_ms: dict[str, int] = {}
        self._timers: dict[str, int] = {}

    def add(self, payload: bytes, ctx: Any, now_ms: int) -> None:  # noqa: ANN401
        """Keep a payload of the current key and see that it is released.

        Parameters
        ----------
        payload
            What the operator was given.
        ctx
            Of the call to ``process_element``.
        now_ms
            Processing time, epoch milliseconds.
        """
        self._state.add(payload)
        key, timers = ctx.get_current_key(), ctx.timer_service()
        if key not in self._came_ms:
            self._came_ms[key] = timers.current_watermark()
            timers.register_event_time_timer(min(self._came_ms[key] + 1, END_OF_TIME_MS))
        if key not in self._timers:
            self._timers[key] = now_ms + HELD_MS
            timers.register_processing_time_timer(self._timers[key])

    def release(self, timestamp_ms: int, ctx: Any) -> Released:  # noqa: ANN401
        """Let go of what the current key holds, at any of its timers."""
        key = ctx.get_current_key()
        came_ms = self._came_ms.pop(key, NEVER)
        is_its_timer = timestamp_ms in (self._timers.get(key), came_ms + 1)
        if timestamp_ms == self._timers.get(key):
            del self._timers[key]
        payloads: list[bytes | str] = []
        for state in (self._text, self._state):
            held = list(state.get() or ())
            if held:
                state.clear()
                payloads += held
        return Released(payloads, came_ms, is_its_timer)
