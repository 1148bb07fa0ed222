"""Which windows a model version has in state, and what is still to be published of them."""

from __future__ import annotations

from collections.abc import MutableMapping

import orjson

from udfs.domain.quality_change import EVENT_TIME
from udfs.domain.quality_rules import QualityRules
from udfs.domain.state_schema import check_schema
from udfs.domain.window import Window

__all__ = ["WindowIndex"]

SCHEMA = 2
_INDEX = "\x00windows"
_FINAL, _UNPUBLISHED = 1, 2


class WindowIndex:
    """The windows of a version, which are final, which have counts no row has shown, and the newest event time.

    Parameters
    ----------
    state
        The version's MapState; read at once, written by :meth:`write`.
    rules
        By which windows become final and are forgotten.
    """

    def __init__(self, state: MutableMapping[str, bytes], rules: QualityRules) -> None:
        self._state = state
        self._rules = rules
        self._loaded = state.get(_INDEX)
        self._clock_ms = -(2**63)
        self._windows: dict[Window, int] = {}
        if self._loaded is not None:
            held = orjson.loads(self._loaded)
            check_schema(held["schema"], SCHEMA, "a quality index")
            self._clock_ms = held["clock_ms"]
            self._windows = {Window(series, start, end): flags for series, start, end, flags in held["windows"]}

    def admit(self, window: Window, watermark_ms: int) -> bool:
        """Whether a window may change; not one that was forgotten, or its old row would be replaced by a part."""
        return window.is_life or window in self._windows or not self._is_past(window, watermark_ms)

    def note(self, window: Window, *, final: bool, published: bool) -> None:
        """Note that a window has counts in state."""
        self._windows[window] = (_FINAL if final else 0) | (0 if published else _UNPUBLISHED)
        # only tumbling windows of event time tell how far the transactions are
        if window.series == EVENT_TIME and self._rules.kind(window) == "tumbling":
            self._clock_ms = max(self._clock_ms, window.start_ms)

    def unpublished(self) -> list[Window]:
        """Return the windows whose newest counts no row has shown."""
        return sorted(window for window, flags in self._windows.items() if flags & _UNPUBLISHED)

    def due(self, watermark_ms: int) -> list[Window]:
        """Return the windows that are over and whose newest row does not say so."""
        return sorted(
            window
            for window, flags in self._windows.items()
            if not flags & _FINAL and not window.is_life and self._rules.final_at_ms(window) <= watermark_ms
        )

    def forget_past(self, watermark_ms: int) -> None:
        """Forget final windows that nothing will change any more, their counts too."""
        for window in [w for w, flags in self._windows.items() if flags == _FINAL and self._is_past(w, watermark_ms)]:
            del self._windows[window]
            del self._state[window.key]

    def next_due_ms(self, watermark_ms: int) -> int | None:
        """Return the watermark at which the next window becomes final or is forgotten; None when none waits for one."""
        times = [
            self._rules.forgotten_at_ms(window) if flags & _FINAL else self._rules.final_at_ms(window)
            for window, flags in self._windows.items()
            if not window.is_life
        ]
        return min((time_ms for time_ms in times if time_ms > watermark_ms), default=None)

    def write(self) -> None:
        """Write what changed to the state."""
        windows = [(*window, flags) for window, flags in sorted(self._windows.items())]
        data = orjson.dumps({"schema": SCHEMA, "clock_ms": self._clock_ms, "windows": windows})
        if data != self._loaded:
            self._state[_INDEX] = self._loaded = data

    def _is_past(self, window: Window, watermark_ms: int) -> bool:
        """By watermark and the version's own events together: the watermark may overtake what batches hold."""
        return self._rules.forgotten_at_ms(window) <= min(watermark_ms, self._clock_ms)
