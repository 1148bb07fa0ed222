"""The quality stage: changes from the truth join become rows of ``model_quality``, per model version and role.

Changes are kept as they came until a timer folds them, so that a window's counts are read and written once per flush
and not once per batch. The operator keeps the waiting payloads (ListState), calls :func:`refresh_windows` from its
processing-time timer and :func:`finish_windows` from event-time timers at window end + retention.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from udfs.domain.quality_change import split_version_key
from udfs.domain.quality_window import QualityWindow, Window, life_window

__all__ = ["finish_windows", "refresh_windows"]

SCHEMA = 1
_INDEX = "\x00windows"
Row = dict[str, Any]


class _Changes(NamedTuple):
    starts: NDArray[np.int64]
    scores: NDArray[np.float64]
    outcomes: NDArray[np.int64]
    weights: NDArray[np.int64]

    def take(self, chosen: NDArray[np.intp]) -> _Changes:
        return _Changes(self.starts[chosen], self.scores[chosen], self.outcomes[chosen], self.weights[chosen])


def refresh_windows(
    version_key: str,
    payloads: Iterable[str],
    state: MutableMapping[str, bytes],
    *,
    window_ms: int,
    retention_ms: int,
    watermark_ms: int,
) -> list[Row]:
    """Count batches of changes and return a new row of every window they touch, the whole life's last.

    Parameters
    ----------
    version_key
        The stage's key, from :func:`~udfs.domain.quality_change.version_key`.
    payloads
        The texts that :func:`~udfs.domain.quality_change.encode_changes` made, in order of arrival.
    state
        The version's MapState; only ``get``, item assignment and item deletion are used.
    window_ms
        Length of the tumbling windows, milliseconds; the truth join's.
    retention_ms
        How long truth is waited for, milliseconds; the truth join's.
    watermark_ms
        The operator's watermark, epoch milliseconds.

    Returns
    -------
    list of dict
        Rows as the contract of ``model_quality`` names them. For each that is not final and not of the whole life the
        operator sets an event-time timer at ``window_end_ms + retention_ms``.
    """
    who = split_version_key(version_key)
    index = _Index(state)
    rows = []
    for series, columns in _gather(payloads).items():
        for window, part in _by_window(series, columns, window_ms):
            if not index.admit(window, retention_ms, watermark_ms):
                continue
            held = state.get(window.key)
            counts = QualityWindow() if held is None else QualityWindow.decode(held)
            counts.update_many(part.scores, part.outcomes, part.weights)
            rows.append(counts.publish(who, window, watermark_ms=watermark_ms, retention_ms=retention_ms))
            index.note(window, counts.final)
            state[window.key] = counts.encode()
    index.write()
    return rows


def finish_windows(
    version_key: str, state: MutableMapping[str, bytes], *, retention_ms: int, watermark_ms: int
) -> list[Row]:
    """Return the final row of every window whose end + retention the watermark has passed; forget what is long past.

    A window is forgotten only when the version's own changes too have gone past its retention: the watermark may
    overtake what batching windows hold, and a truth that comes behind it must find the counts it corrects.
    """
    who = split_version_key(version_key)
    index = _Index(state)
    rows = []
    for window in index.windows():
        if window.end_ms + retention_ms > watermark_ms:
            continue
        if not index.is_final(window):
            counts = QualityWindow.decode(state[window.key])
            rows.append(counts.publish(who, window, watermark_ms=watermark_ms, retention_ms=retention_ms))
            index.note(window, counts.final)
            state[window.key] = counts.encode()
        if index.is_past(window, retention_ms, watermark_ms):
            index.forget(window)
            del state[window.key]
    index.write()
    return rows


class _Index:
    """The tumbling windows a version has in state, which of them are final, and the newest its changes named."""

    def __init__(self, state: MutableMapping[str, bytes]) -> None:
        self._state = state
        self._loaded = state.get(_INDEX)
        self._clock_ms = -(2**63)
        self._windows: dict[Window, bool] = {}
        if self._loaded is not None:
            held = orjson.loads(self._loaded)
            if held["schema"] != SCHEMA:
                msg = f"A quality index has schema {held['schema']}; this program reads {SCHEMA}. Start the newer one."
                raise ValueError(msg)
            self._clock_ms = held["clock_ms"]
            self._windows = {Window(series, start, end): final for series, start, end, final in held["windows"]}

    def windows(self) -> list[Window]:
        return sorted(self._windows)

    def is_past(self, window: Window, retention_ms: int, watermark_ms: int) -> bool:
        return window.end_ms + retention_ms <= min(watermark_ms, self._clock_ms)

    def admit(self, window: Window, retention_ms: int, watermark_ms: int) -> bool:
        """Whether a window may change; not one that was forgotten, or its old row would be replaced by a part."""
        return window.is_life or window in self._windows or not self.is_past(window, retention_ms, watermark_ms)

    def note(self, window: Window, final: bool) -> None:
        if not window.is_life:
            self._windows[window] = final
            self._clock_ms = max(self._clock_ms, window.start_ms)

    def is_final(self, window: Window) -> bool:
        return self._windows[window]

    def forget(self, window: Window) -> None:
        del self._windows[window]

    def write(self) -> None:
        windows = [(*window, final) for window, final in sorted(self._windows.items())]
        data = orjson.dumps({"schema": SCHEMA, "clock_ms": self._clock_ms, "windows": windows})
        if data != self._loaded:
            self._state[_INDEX] = self._loaded = data


def _gather(payloads: Iterable[str]) -> dict[str, _Changes]:
    parts: dict[str, list[list[list[Any]]]] = {}
    for payload in payloads:
        for series, *columns in orjson.loads(payload):
            parts.setdefault(series, []).append(columns)
    return {series: _stack(columns) for series, columns in parts.items()}


def _stack(parts: list[list[list[Any]]]) -> _Changes:
    starts, scores, outcomes, weights = (
        [value for part in column for value in part] for column in zip(*parts, strict=True)
    )
    return _Changes(
        np.array(starts, np.int64),
        np.array(scores, np.float64),
        np.array(outcomes, np.int64),
        np.array(weights, np.int64),
    )


def _by_window(series: str, columns: _Changes, window_ms: int) -> list[tuple[Window, _Changes]]:
    """Return the changes of each tumbling window, and all of them for the whole life."""
    order = np.argsort(columns.starts, kind="stable")
    starts, at = np.unique(columns.starts[order], return_index=True)
    parts = []
    for start_ms, chosen in zip(starts.tolist(), np.split(order, at[1:]), strict=True):
        parts.append((Window(series, start_ms, start_ms + window_ms), columns.take(chosen)))
    return [*parts, (life_window(series), columns)]
