"""The quality stage: changes from the truth join become rows of ``model_quality``, per model version and role.

Changes are kept as they came until a timer folds them, so that a window's counts are read and written once per flush
and not once per batch. The operator keeps the waiting payloads, calls :func:`refresh_windows` from its processing-time
timer, which publishes early revisions, and :func:`finish_windows` from its event-time timers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from udfs.domain.quality_change import TRUTH_TIME, split_version_key
from udfs.domain.quality_rules import QualityRules
from udfs.domain.quality_window import QualityWindow
from udfs.domain.window import Window
from udfs.domain.window_index import WindowIndex

__all__ = ["QualityUpdate", "finish_windows", "refresh_windows"]

Row = dict[str, Any]


class QualityUpdate(NamedTuple):
    """What a call brought.

    Parameters
    ----------
    rows
        As the contract of ``model_quality`` names them.
    next_due_ms
        The watermark at which to call :func:`finish_windows` next, epoch milliseconds; None when nothing waits for one.
    """

    rows: list[Row]
    next_due_ms: int | None


class _Changes(NamedTuple):
    starts: NDArray[np.int64]
    scores: NDArray[np.float64]
    outcomes: NDArray[np.int64]
    weights: NDArray[np.int64]
    delays: NDArray[np.int64]

    def take(self, chosen: NDArray[np.intp]) -> _Changes:
        starts, scores, outcomes, weights, delays = self
        return _Changes(starts[chosen], scores[chosen], outcomes[chosen], weights[chosen], delays[chosen])


def refresh_windows(
    version_key: str,
    payloads: Iterable[bytes],
    state: MutableMapping[str, bytes],
    rules: QualityRules,
    *,
    watermark_ms: int,
) -> QualityUpdate:
    """Count batches of changes and return a new row of every window whose counts no row has shown.

    Parameters
    ----------
    version_key
        The stage's key, from :func:`~udfs.domain.quality_change.version_key`.
    payloads
        What :func:`~udfs.domain.quality_change.encode_changes` made, in order of arrival.
    state
        The version's MapState; only ``get``, item assignment and item deletion are used.
    rules
        Of the windows.
    watermark_ms
        The operator's watermark, epoch milliseconds.
    """
    version = _Version(version_key, state, rules, watermark_ms)
    version.count(payloads, publish=True)
    for window in version.index.unpublished():
        version.publish(window)
    return version.end()


def finish_windows(
    version_key: str,
    payloads: Iterable[bytes],
    state: MutableMapping[str, bytes],
    rules: QualityRules,
    *,
    watermark_ms: int,
) -> QualityUpdate:
    """Count batches of changes, return the final row of every window that is over, and forget what is long past.

    Windows that are not over get no row here, so that early revisions keep their distance.
    A window is forgotten only when the version's own changes too have gone far past it: the watermark may overtake
    what batching windows hold, and a truth that comes behind it must find the counts it corrects. Parameters are those
    of :func:`refresh_windows`.
    """
    version = _Version(version_key, state, rules, watermark_ms)
    version.count(payloads, publish=False)
    for window in version.index.due(watermark_ms):
        version.publish(window)
    version.index.forget_past(watermark_ms)
    return version.end()


class _Version:
    """One call's view of a version: its windows in state, and the rows it will publish."""

    def __init__(
        self, version_key: str, state: MutableMapping[str, bytes], rules: QualityRules, watermark_ms: int
    ) -> None:
        self._who = split_version_key(version_key)
        self._state = state
        self._rules = rules
        self._watermark_ms = watermark_ms
        self._rows: list[Row] = []
        self.index = WindowIndex(state, rules)

    def count(self, payloads: Iterable[bytes], *, publish: bool) -> None:
        """Add changes to the windows they belong to."""
        for series, changes in _gather(payloads).items():
            for window, part in _by_window(series, changes, self._rules):
                if not self.index.admit(window, self._watermark_ms):
                    continue
                held = self._state.get(window.key)
                counts = QualityWindow() if held is None else QualityWindow.decode(held)
                counts.update_many(part.scores, part.outcomes, part.weights)
                if series == TRUTH_TIME:
                    counts.delays.update_many(part.delays)
                self._keep(window, counts, publish=publish)

    def publish(self, window: Window) -> None:
        """Add a row of a window as it is."""
        self._keep(window, QualityWindow.decode(self._state[window.key]), publish=True)

    def end(self) -> QualityUpdate:
        """Write the index and return what there is."""
        self.index.write()
        return QualityUpdate(self._rows, self.index.next_due_ms(self._watermark_ms))

    def _keep(self, window: Window, counts: QualityWindow, *, publish: bool) -> None:
        if publish:
            self._rows.append(counts.publish(self._who, window, self._rules, watermark_ms=self._watermark_ms))
        self.index.note(window, final=counts.final, published=publish)
        self._state[window.key] = counts.encode()


def _gather(payloads: Iterable[bytes]) -> dict[str, _Changes]:
    parts: dict[str, list[list[list[Any]]]] = {}
    for payload in payloads:
        for series, *columns in orjson.loads(payload):
            parts.setdefault(series, []).append(columns)
    return {series: _stack(columns) for series, columns in parts.items()}


def _stack(parts: list[list[list[Any]]]) -> _Changes:
    starts, scores, outcomes, weights, *delays = (
        [value for part in column for value in part] for column in zip(*parts, strict=True)
    )
    return _Changes(
        np.array(starts, np.int64),
        np.array(scores, np.float64),
        np.array(outcomes, np.int64),
        np.array(weights, np.int64),
        np.array(delays[0], np.int64) if delays else np.zeros(len(starts), np.int64),
    )


def _by_window(series: str, changes: _Changes, rules: QualityRules) -> Iterator[tuple[Window, _Changes]]:
    """Return the changes of each window they touch, the whole life last."""
    order = np.argsort(changes.starts, kind="stable")
    starts, at = np.unique(changes.starts[order], return_index=True)
    touched: dict[Window, list[NDArray[np.intp]]] = {}
    for start_ms, chosen in zip(starts.tolist(), np.split(order, at[1:]), strict=True):
        for window in rules.windows_of(series, start_ms):
            touched.setdefault(window, []).append(chosen)
    for window, pieces in touched.items():
        # in order of arrival: a retraction never stands before what it takes back
        yield window, changes.take(np.sort(np.concatenate(pieces)))
    yield Window.life(series), changes
