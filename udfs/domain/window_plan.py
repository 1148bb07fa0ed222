"""Computes many window features of one entity together: each edge of all their windows is looked up once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

from udfs.domain.compile_windows import compile_windows
from udfs.domain.entity_history import EntityHistory
from udfs.domain.event_transform import EventTransform
from udfs.domain.small_history import SmallHistory
from udfs.domain.window_feature import WindowFeature

__all__ = ["WindowPlan"]


class Output(NamedTuple):
    """A feature whose window lies between two edges."""

    name: str
    aggregate: str
    start: int
    end: int
    feature: WindowFeature


class WindowPlan:
    """Window features of one entity, prepared.

    Parameters
    ----------
    features
        What to compute; all of the same entity.

    transforms
        Features of a transaction alone, computed beside them in the customer stage.

    Attributes
    ----------
    features, transforms
        The same.
    """

    __slots__ = ("_of_columns", "_of_edges", "_offsets", "_outputs", "_sums", "features", "transforms")

    def __init__(self, features: Iterable[WindowFeature], transforms: Iterable[EventTransform] = ()) -> None:
        self.features, self.transforms = tuple(features), tuple(transforms)
        offsets = {f.delay_ms for f in self.features} | {f.delay_ms + f.window_ms for f in self.features}
        self._offsets = sorted(offsets)
        place = {offset: index for index, offset in enumerate(self._offsets)}
        self._outputs = [
            Output(f.name, f.aggregate, place[f.delay_ms + f.window_ms], place[f.delay_ms], f) for f in self.features
        ]
        self._sums = any(f.aggregate in ("sum", "mean") for f in self.features)
        self._of_columns, self._of_edges = compile_windows(
            self._offsets, [(o.name, o.aggregate, o.start, o.end) for o in self._outputs]
        )

    def values(self, history: EntityHistory, time_ms: int) -> dict[str, float]:
        """Return every feature by name, for a transaction at a time that the history has taken in."""
        if isinstance(history, SmallHistory):
            return self._of_columns(history, time_ms, self._other)
        edges = history.before([time_ms - offset for offset in self._offsets], sums=self._sums)
        return self._of_edges(edges, history, time_ms, self._other)

    def _other(self, index: int, history: EntityHistory, time_ms: int, count: int) -> float:
        """Return a feature that needs more than counts and sums."""
        output = self._outputs[index]
        if count <= 0 and output.aggregate != "time_since_last":
            return 0.0
        return float(_OTHERS[output.aggregate](history, output.feature, time_ms, count))

    def alone(self, amount: float) -> dict[str, float]:
        """Return every feature for a transaction that is older than what is kept: alone in its windows."""
        return {
            f.name: 0.0
            if f.delay_ms
            else {"count": 1.0, "distinct": 1.0, "time_since_last": f.window_ms / 1_000}.get(
                f.aggregate, amount if f.aggregate in ("sum", "mean", "min", "max") else 0.0
            )
            for f in self.features
        }


def _amounts(history: EntityHistory, feature: WindowFeature, time_ms: int) -> list[float]:
    to_ms = time_ms - feature.delay_ms
    return history.amounts(to_ms - feature.window_ms, to_ms)


def _fraud_rate(history: EntityHistory, feature: WindowFeature, time_ms: int, count: int) -> float:
    to_ms = time_ms - feature.delay_ms
    return history.frauds(to_ms - feature.window_ms, to_ms, time_ms) / count


def _time_since_last(history: EntityHistory, feature: WindowFeature, time_ms: int, count: int) -> float:
    to_ms = time_ms - feature.delay_ms
    newest = history.newest_ms(to_ms, 0 if feature.delay_ms else 1)
    if newest is None or newest <= to_ms - feature.window_ms:
        return feature.window_ms / 1_000
    return (time_ms - newest) / 1_000


def _std(history: EntityHistory, feature: WindowFeature, time_ms: int, count: int) -> float:
    amounts = _amounts(history, feature, time_ms)
    if len(amounts) < 2:
        return 0.0
    mean = math.fsum(amounts) / len(amounts)
    return math.sqrt(math.fsum((amount - mean) ** 2 for amount in amounts) / (len(amounts) - 1))


_OTHERS: dict[str, Callable[[EntityHistory, WindowFeature, int, int], float]] = {
    "fraud_rate": _fraud_rate,
    "time_since_last": _time_since_last,
    "min": lambda history, feature, time_ms, _: min(_amounts(history, feature, time_ms)),
    "max": lambda history, feature, time_ms, _: max(_amounts(history, feature, time_ms)),
    "std": _std,
    "distinct": lambda history, feature, time_ms, _: len(set(_amounts(history, feature, time_ms))),
}
"""Aggregates that need more than counts and sums, each with the number of transactions in the window."""
