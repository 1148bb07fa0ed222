"""Probe vectors: recorded inputs whose scores prove that a loaded model is the one that was exported."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from model_store.scaler_state import SCALERS, scale_of

__all__ = ["MIN_PROBES", "generate_probes", "probe_matrix"]

MIN_PROBES = 32
"""Fewer probes than this are no proof; the gate refuses them."""


def generate_probes(
    features: Sequence[str],
    steps: Sequence[Mapping[str, Any]],
    arrays: Mapping[str, npt.NDArray[Any]],
    *,
    count: int,
    seed: int,
) -> list[dict[str, float]]:
    """Draw vectors from the ranges the model observed, a little beyond them, and some with a feature missing.

    Parameters
    ----------
    features, steps, arrays
        The feature set's names and the model as described by :func:`model_store.river_model.encode_model`.
    count
        How many.
    seed
        Of Python's own generator, whose stream is the same in every version.
    """
    ranges = _ranges(features, steps, arrays)
    rng = random.Random(seed)
    probes = []
    for number in range(count):
        vector = {}
        for name, (low, high) in ranges.items():
            beyond = 0.1 * (high - low)
            vector[name] = rng.uniform(low - beyond, high + beyond)
        if number % 8 == 7 and len(ranges) > 1:
            del vector[list(ranges)[rng.randrange(len(ranges))]]
        probes.append(vector)
    return probes


def probe_matrix(vectors: Sequence[Mapping[str, float]], features: Sequence[str]) -> npt.NDArray[np.float64]:
    """Lay vectors out as rows in the order of the features; a missing one is NaN.

    Examples
    --------
    >>> probe_matrix([{"b": 2.0, "a": 1.0}, {"a": 3.0}], ["a", "b"]).tolist()
    [[1.0, 2.0], [3.0, nan]]
    """
    rows = [[float(vector.get(name, math.nan)) for name in features] for vector in vectors]
    return np.array(rows, dtype="<f8").reshape(len(vectors), len(features))


def _ranges(
    features: Sequence[str], steps: Sequence[Mapping[str, Any]], arrays: Mapping[str, npt.NDArray[Any]]
) -> dict[str, tuple[float, float]]:
    """Return the range per feature: what the first scaler saw, the limits of bare trees, else -1 to 1.

    A feature that a minimum and maximum never saw has no range and stays out: River would scale it to NaN.
    """
    first = steps[0]
    if first["type"] == "HalfSpaceTrees":
        limits = dict(zip(first["limit_names"], arrays["0.limits"].tolist(), strict=True))
        return {name: tuple(limits.get(name, (0.0, 1.0))) for name in features}
    if first["type"] not in SCALERS:
        return dict.fromkeys(features, (-1.0, 1.0))
    offset, divisor = scale_of(first, "0", arrays, features)
    ranges = {}
    for name, middle, width in zip(features, offset.tolist(), divisor.tolist(), strict=True):
        if first["type"] != "MinMaxScaler":
            ranges[name] = (middle - 3 * width, middle + 3 * width)
        elif math.isfinite(middle):
            ranges[name] = (middle, middle + width)
    return ranges
