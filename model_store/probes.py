"""Probe vectors: recorded inputs whose scores prove that a loaded model is the one that was exported."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from model_store.encoder_state import ONE_HOT, UNION, is_text
from model_store.fields import field, names
from model_store.reason import Reason
from model_store.scaler_state import SCALERS, scale_of
from udfs.domain.errors import ArtifactError

__all__ = ["MIN_PROBES", "generate_probes", "probe_matrix", "probe_texts", "probe_vectors"]

MIN_PROBES = 32
"""Fewer probes than this are no proof; the gate refuses them."""
NEVER_SEEN = "never seen"


def generate_probes(
    features: Sequence[str],
    steps: Sequence[Mapping[str, Any]],
    arrays: Mapping[str, npt.NDArray[Any]],
    *,
    count: int,
    seed: int,
    strings: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Draw vectors from the ranges the model observed, a little beyond them, and some with a feature missing.

    Parameters
    ----------
    features, steps, arrays
        The feature set's names and the model as described by :func:`model_store.river_model.encode_model`.
    count
        How many.
    seed
        Of Python's own generator, whose stream is the same in every version.
    strings
        The features that are strings: drawn from the categories an encoder saw, and from what it never did.
    """
    texts = _categories(steps, strings)
    ranges = _ranges([name for name in features if name not in texts], steps, arrays)
    rng = random.Random(seed)
    probes = []
    for number in range(count):
        vector: dict[str, Any] = {}
        for name, (low, high) in ranges.items():
            beyond = 0.1 * (high - low)
            vector[name] = rng.uniform(low - beyond, high + beyond)
        for name, seen in texts.items():
            vector[name] = rng.choice(seen)
        if number % 8 == 7 and len(vector) > 1:
            del vector[list(vector)[rng.randrange(len(vector))]]
        probes.append(vector)
    return probes


def probe_texts(vectors: Sequence[Mapping[str, Any]], strings: Sequence[str]) -> dict[str, list[str]]:
    """Return the different strings of each string feature; a probe's matrix holds their places.

    Examples
    --------
    >>> probe_texts([{"mcc": "5411"}, {"mcc": "4829"}, {}], ["mcc"])
    {'mcc': ['4829', '5411']}
    """
    return {name: sorted({vector[name] for vector in vectors if name in vector}) for name in strings}


def probe_matrix(
    vectors: Sequence[Mapping[str, Any]], features: Sequence[str], texts: Mapping[str, Sequence[str]] | None = None
) -> npt.NDArray[np.float64]:
    """Lay vectors out as rows in the order of the features; a missing one is NaN, a string its place in ``texts``.

    Examples
    --------
    >>> probe_matrix([{"b": 2.0, "a": 1.0}, {"a": 3.0}], ["a", "b"]).tolist()
    [[1.0, 2.0], [3.0, nan]]
    """
    places = {name: {text: place for place, text in enumerate(seen)} for name, seen in (texts or {}).items()}

    def number(name: str, value: Any) -> float:  # noqa: ANN401 - a number or a string
        return float(places[name][value] if name in places else value)

    rows = [[number(name, vector[name]) if name in vector else math.nan for name in features] for vector in vectors]
    return np.array(rows, dtype="<f8").reshape(len(vectors), len(features))


def probe_vectors(
    header: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]], features: Sequence[str], count: int
) -> list[dict[str, Any]]:
    """Return the recorded probes as vectors again.

    Raises
    ------
    ArtifactError
        ``malformed`` when they do not fit the features.
    """
    matrix = arrays.get("probes.vectors")
    if matrix is None or matrix.dtype != np.dtype("<f8") or matrix.shape != (count, len(features)):
        raise ArtifactError(Reason.MALFORMED, "the probes' vectors do not fit their scores and the features")
    recorded = header.get("probe_texts", {})
    texts = {name: names(recorded, name) for name in field({"texts": recorded}, "texts", dict)}
    if set(texts) != set(header["feature_set"].get("strings", ())):
        raise ArtifactError(Reason.MALFORMED, "the probes' strings are not those of the feature set")
    vectors = []
    for row in matrix.tolist():
        vector: dict[str, Any] = {}
        for name, x in zip(features, row, strict=True):
            if x != x:
                continue  # missing
            if name in texts and not (x.is_integer() and 0 <= x < len(texts[name])):
                raise ArtifactError(Reason.MALFORMED, f"a probe has a string {name:.60} that is not recorded")
            vector[name] = texts[name][int(x)] if name in texts else x
        vectors.append(vector)
    return vectors


def _categories(steps: Sequence[Mapping[str, Any]], strings: Sequence[str]) -> dict[str, list[str]]:
    encoders = [step for branch in steps[0].get("branches", ()) for step in branch["steps"] if step["type"] == ONE_HOT]
    seen = {name: known for encoder in encoders for name, known in encoder["values"]}
    return {name: [*seen.get(name, ("a", "b")), NEVER_SEEN] for name in strings}


def _ranges(
    features: Sequence[str], steps: Sequence[Mapping[str, Any]], arrays: Mapping[str, npt.NDArray[Any]]
) -> dict[str, tuple[float, float]]:
    """Return the range per feature: what the first scaler saw, the limits of bare trees, else -1 to 1.

    A feature that a minimum and maximum never saw has no range and stays out: River would scale it to NaN.
    """
    first, prefix = steps[0], "0"
    if first["type"] == UNION:
        number, branch = next(
            ((at, each) for at, each in enumerate(first["branches"]) if not is_text(each)), (0, {"steps": [first]})
        )
        first, prefix = branch["steps"][min(1, len(branch["steps"]) - 1)], f"0.{number}.1"
    if first["type"] == "HalfSpaceTrees":
        limits = dict(zip(first["limit_names"], arrays["0.limits"].tolist(), strict=True))
        return {name: tuple(limits.get(name, (0.0, 1.0))) for name in features}
    if first["type"] not in SCALERS:
        return dict.fromkeys(features, (-1.0, 1.0))
    offset, divisor = scale_of(first, prefix, arrays, features)
    ranges = {}
    for name, middle, width in zip(features, offset.tolist(), divisor.tolist(), strict=True):
        if first["type"] != "MinMaxScaler":
            ranges[name] = (middle - 3 * width, middle + 3 * width)
        elif math.isfinite(middle):
            ranges[name] = (middle, middle + width)
    return ranges
