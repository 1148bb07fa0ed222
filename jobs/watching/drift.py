"""Whether features and scores still look as they did when a version began: the population stability index."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["Drift", "stability_index"]

KEPT = 2_000
FEWEST = 500
BINS = 10
LEAST_SHARE = 1e-4
"""An empty bin counts as this much; the index would be infinite."""


def stability_index(reference: Sequence[float], recent: Sequence[float]) -> float:
    """Return the population stability index of two samples, over the tenths of the first.

    0 is no difference; by custom 0.1 is worth a look and 0.25 is another population.

    Examples
    --------
    >>> same = [float(n % 100) for n in range(1000)]
    >>> stability_index(same, same[::-1]), stability_index(same, [x + 50 for x in same]) > 0.25
    (0.0, True)
    """
    edges = np.unique(np.quantile(np.asarray(reference), np.linspace(0, 1, BINS + 1)[1:-1]))
    first, second = _shares(reference, edges), _shares(recent, edges)
    return float(np.sum((second - first) * np.log(second / first)))


def _shares(values: Sequence[float], edges: Any) -> Any:  # noqa: ANN401
    counts = np.bincount(np.searchsorted(edges, np.asarray(values), side="left"), minlength=len(edges) + 1)
    return np.maximum(counts / len(values), LEAST_SHARE)


class Drift:
    """Keeps the first 2,000 transactions a champion scored, and the newest 2,000; those whose windows warm up are left out.

    A new champion begins anew: its own first transactions are what it is compared with.
    """

    def __init__(self) -> None:
        self._version = ""
        self._first: list[tuple[float, Mapping[str, float]]] = []
        self._newest: deque[tuple[float, Mapping[str, float]]] = deque(maxlen=KEPT)

    def update(self, inference: Mapping[str, Any]) -> None:
        """Take in an inference of the champion."""
        if inference["score"] is None or inference.get("warming_up"):
            return
        if inference["version"] != self._version:
            self._version, self._first = inference["version"], []
            self._newest.clear()
        kept = (inference["score"], inference["features"])
        if len(self._first) < KEPT:
            self._first.append(kept)
        else:
            self._newest.append(kept)

    def document(self) -> dict[str, Any]:
        """Return ``version``, how many are compared, ``score`` and ``features`` by index, the greatest first."""
        document: dict[str, Any] = {"version": self._version, "reference": len(self._first),
                                    "recent": len(self._newest), "needed": KEPT + FEWEST,
                                    "score": None, "features": []}  # fmt: skip
        if len(self._newest) < FEWEST:
            return document
        document["score"] = stability_index([each for each, _ in self._first], [each for each, _ in self._newest])
        names = [name for name in self._first[0][1] if all(name in features for _, features in self._newest)]
        found = [
            {
                "feature": name,
                "index": stability_index(
                    [features[name] for _, features in self._first if name in features],
                    [features[name] for _, features in self._newest],
                ),
            }
            for name in names
        ]
        document["features"] = sorted(found, key=lambda each: -each["index"])
        return document
