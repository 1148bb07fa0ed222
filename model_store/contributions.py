"""Says what of a score is due to which feature: the reasons on an alert. Computed for alerts only, never on the hot path.

Both ways are sums that can be checked: the contributions of all features and the baseline give the score.

``linear_exact``
    Of linear models: weight times scaled value, in the unit of the sum before the sigmoid (log-odds for logistic
    regression). The baseline is the intercept: what the model says of an event whose scaled values are all 0.
``tree_path``
    Of half-space trees: each node has the mean score of the window's events that passed it, so each split of an event's
    path moves that mean, and the move is due to the feature it asks for (Saabas' decomposition, 2014). The baseline is the
    mean score of the window. The order of splits in a tree matters to this attribution, and it says why the model finds an
    event rarer than others, not why it is fraud.
``none``
    Of what this code knows no attribution for, trees whose first window is not filled included.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from model_store.artifact import Artifact
from model_store.linear_state import decode_linear
from model_store.river_model import steps_of
from model_store.scaler_state import scale_of
from model_store.tree_state import tree_arrays

__all__ = ["Contributions"]

MOST_REASONS = 5


@dataclass(frozen=True, slots=True)
class _Linear:
    weights: dict[str, float]

    def of(self, scaled: Mapping[str, float]) -> dict[str, float]:
        return {name: weight * scaled[name] for name, weight in self.weights.items() if name in scaled}


@dataclass(frozen=True, slots=True)
class _Trees:
    features: tuple[str, ...]
    split: list[list[int]]
    threshold: list[list[float]]
    visited: list[list[int]]
    ends: list[list[bool]]
    mean: list[list[float]]
    largest: int

    def of(self, scaled: Mapping[str, float]) -> dict[str, float]:
        totals: dict[str, float] = defaultdict(float)
        for tree in range(len(self.mean)):
            self._walk(tree, scaled, totals)
        return {name: total / self.largest for name, total in totals.items() if total}

    def _walk(self, tree: int, scaled: Mapping[str, float], totals: dict[str, float]) -> None:
        """Add how far each split of the path moves the mean mass; less mass is a higher score."""
        split, ends, mean, node = self.split[tree], self.ends[tree], self.mean[tree], 0
        while not ends[node]:
            name = self.features[split[node]]
            value = scaled.get(name)
            left, right = 2 * node + 1, 2 * node + 2
            if value is None:  # to the child that was visited more, left when they are even
                child = right if self.visited[tree][left] < self.visited[tree][right] else left
            else:
                child = left if value < self.threshold[tree][node] else right
            totals[name] += mean[node] - mean[child]
            node = child


class Contributions:
    """The attribution of one artifact; built once per version, when its first alert comes.

    Parameters
    ----------
    artifact
        A decoded artifact that has been admitted.

    Attributes
    ----------
    method
        ``linear_exact``, ``tree_path`` or ``none``.
    baseline
        What is left of the score (of linear models: of the sum before the sigmoid) without any contribution.

    Examples
    --------
    >>> Contributions(Artifact({"kind": "other"}, {})).method
    'none'
    """

    def __init__(self, artifact: Artifact) -> None:
        self.method, self.baseline = "none", 0.0
        self._model: _Linear | _Trees | None = None
        if artifact.header.get("kind") not in ("linear", "half_space_trees"):
            return
        self._features, steps = steps_of(artifact)
        self._scales = [
            scale_of(step, str(index), artifact.arrays, self._features) for index, step in enumerate(steps[:-1])
        ]
        prefix = str(len(steps) - 1)
        if artifact.header["kind"] == "linear":
            model = decode_linear(steps[-1], prefix, artifact.arrays)
            self.method, self.baseline = "linear_exact", float(getattr(model, "intercept", 0.0))
            self._model = _Linear(dict(model.weights if hasattr(model, "weights") else model.w))
        elif not steps[-1]["first_window"]:
            self.method = "tree_path"
            self._model = self._trees(steps[-1], prefix, artifact)

    @staticmethod
    def decode(data: bytes) -> Contributions:
        """Read an artifact's bytes; raises :class:`udfs.domain.errors.ArtifactError` if they cannot be read."""
        return Contributions(Artifact.decode(data))

    def of(self, vector: Mapping[str, float]) -> dict[str, float]:
        """Return the contribution of each feature that has one; empty where the method is ``none``."""
        if self._model is None:
            return {}
        return self._model.of(self._scaled(vector))

    def reasons(self, vector: Mapping[str, float], most: int = MOST_REASONS) -> list[dict[str, Any]]:
        """Return the features that raised the score most, with their values and contributions, the largest first."""
        raising = sorted(((part, name) for name, part in self.of(vector).items() if part > 0), reverse=True)
        return [
            {"feature": name, "value": vector.get(name), "contribution": part}
            for part, name in raising[:most]
            if math.isfinite(part)
        ]

    def _scaled(self, vector: Mapping[str, float]) -> dict[str, float]:
        scaled = {}
        for index, name in enumerate(self._features):
            value = vector.get(name)
            if value is None:
                continue
            for offset, divisor in self._scales:
                value = float((value - offset[index]) / divisor[index]) if divisor[index] != 0.0 else 0.0
            scaled[name] = value
        return scaled

    def _trees(self, spec: Mapping[str, Any], prefix: str, artifact: Artifact) -> _Trees:
        columns = tree_arrays(spec, prefix, artifact.arrays, len(self._features))
        height, window = spec["height"], spec["window_size"]
        r_mass = columns["r_mass"]
        ends = r_mass < 0.1 * window  # River's search ends at such a node, and at the leaves
        ends[:, 2**height - 1 :] = True
        mean = _mean_masses(r_mass, ends, height)
        largest = spec["n_trees"] * window * (2 ** (height + 1) - 1)
        self.baseline = 1.0 - float(mean[:, 0].sum()) / largest
        return _Trees(
            features=self._features,
            split=columns["feature"].tolist(),
            threshold=columns["threshold"].tolist(),
            visited=columns["l_mass"].tolist(),
            ends=ends.tolist(),
            mean=mean.tolist(),
            largest=largest,
        )


def _mean_masses(r_mass: npt.NDArray[Any], ends: npt.NDArray[np.bool_], height: int) -> npt.NDArray[np.float64]:
    """Return, for each node, the mean of the masses that the window's events below it come to at their paths' ends."""
    total = r_mass.astype(np.float64)
    for depth in range(1, height + 1):
        level = slice(2**depth - 1, 2 ** (depth + 1) - 1)
        above = total[:, 2 ** (depth - 1) - 1 : 2**depth - 1]
        total[:, level] = np.repeat(above, 2, axis=1) + (r_mass[:, level] << depth)
    for depth in range(height - 1, -1, -1):
        nodes = np.arange(2**depth - 1, 2 ** (depth + 1) - 1)
        # A child that no event of the window reached weighs nothing; where neither was, both weigh the same.
        left, right = r_mass[:, 2 * nodes + 1].astype(np.float64), r_mass[:, 2 * nodes + 2].astype(np.float64)
        nobody = left + right == 0
        left, right = left + nobody, right + nobody
        mean = (left * total[:, 2 * nodes + 1] + right * total[:, 2 * nodes + 2]) / (left + right)
        total[:, nodes] = np.where(ends[:, nodes], total[:, nodes], mean)
    return total
