"""River's half-space trees as arrays.

Every tree is a perfect binary tree of one height, so nodes are numbered like a heap: the children of node i are
2 i + 1 (left) and 2 i + 2 (right). No pointer is stored, so no artifact can point outside its arrays.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from river import anomaly
from river.anomaly.hst import HSTBranch, HSTLeaf

from model_store.fields import array, field, names
from model_store.reason import Reason
from model_store.river_parts import RiverModel
from udfs.domain.errors import ArtifactError

__all__ = ["decode_trees", "encode_trees", "tree_arrays"]

Arrays = dict[str, npt.NDArray[Any]]
MAX_HEIGHT = 16
MAX_EXACT = 2**53
"""River adds masses as floats; below this every sum is exact, so its order does not matter."""


def encode_trees(model: RiverModel, features: Sequence[str], prefix: str, arrays: Arrays) -> dict[str, Any]:
    """Write half-space trees, warm or not.

    The random generator is written only while there are no trees: once they are built River never asks it again.

    Raises
    ------
    ArtifactError
        ``unsupported_model``: a tree asks for a feature outside the feature set, or a parameter has no form as data.
    """
    if model.seed is not None and type(model.seed) is not int:
        raise ArtifactError(
            Reason.UNSUPPORTED_MODEL, f"the seed must be an int or None, got {type(model.seed).__name__}"
        )
    limits = {name: limit for name, limit in model.limits.items() if tuple(limit) != (0.0, 1.0)}
    if not all(isinstance(name, str) for name in limits):
        raise ArtifactError(Reason.UNSUPPORTED_MODEL, "the limits' features must have names that are strings")
    spec: dict[str, Any] = {
        "n_trees": int(model.n_trees),
        "height": int(model.height),
        "window_size": int(model.window_size),
        "seed": model.seed,
        "counter": int(model.counter),
        "first_window": bool(model._first_window),  # noqa: SLF001 - River has no public way to ask
        "built": bool(model.trees),
        "limit_names": sorted(limits),
    }
    arrays[f"{prefix}.limits"] = np.array([limits[name] for name in sorted(limits)], dtype="<f8").reshape(-1, 2)
    if model.trees:
        _encode_nodes(model.trees, features, spec["height"], prefix, arrays)
    else:
        version, words, _ = model.rng.getstate()
        spec["rng_version"] = version
        arrays[f"{prefix}.rng"] = np.array(words, dtype="<u4")
    tree_arrays(spec, prefix, arrays, len(features))
    return spec


def decode_trees(
    spec: Mapping[str, Any], features: Sequence[str], prefix: str, arrays: Mapping[str, npt.NDArray[Any]]
) -> anomaly.HalfSpaceTrees:
    """Build River's object again, ready to go on learning."""
    columns = tree_arrays(spec, prefix, arrays, len(features))
    limit_names = names(spec, "limit_names")
    pairs = array(arrays, f"{prefix}.limits", "<f8", (len(limit_names), 2)).tolist()
    model = anomaly.HalfSpaceTrees(
        n_trees=field(spec, "n_trees", int),
        height=field(spec, "height", int),
        window_size=field(spec, "window_size", int),
        limits={name: (low, high) for name, (low, high) in zip(limit_names, pairs, strict=True)},
        seed=spec.get("seed"),
    )
    model.counter = field(spec, "counter", int)
    model._first_window = field(spec, "first_window", bool)  # noqa: SLF001 - River has no public way to say so
    if field(spec, "built", bool):
        rows = {name: column.tolist() for name, column in columns.items()}
        for tree in range(model.n_trees):
            model.trees.append(_node({name: row[tree] for name, row in rows.items()}, features, 0))
    else:
        words = tuple(array(arrays, f"{prefix}.rng", "<u4", (625,)).tolist())
        model.rng = random.Random()
        model.rng.setstate((field(spec, "rng_version", int), words, None))
    return model


def tree_arrays(
    spec: Mapping[str, Any], prefix: str, arrays: Mapping[str, npt.NDArray[Any]], n_features: int
) -> dict[str, npt.NDArray[Any]]:
    """Check everything a walk of the trees relies on and return feature, threshold, l_mass and r_mass.

    Raises
    ------
    ArtifactError
        ``malformed`` or ``not_finite``.
    """
    n_trees, height = field(spec, "n_trees", int), field(spec, "height", int)
    window, counter = field(spec, "window_size", int), field(spec, "counter", int)
    seed = spec.get("seed")
    if not (n_trees >= 1 and 0 <= height <= MAX_HEIGHT and window >= 1 and 0 <= counter < window):
        detail = f"n_trees {n_trees}, height {height} (to {MAX_HEIGHT}), window_size {window}, counter {counter}"
        raise ArtifactError(Reason.MALFORMED, detail)
    if n_trees * window * 2 ** (height + 1) >= MAX_EXACT or not (seed is None or type(seed) is int):
        raise ArtifactError(Reason.MALFORMED, "sums of masses could pass 2**53 and would depend on their order")
    if not field(spec, "built", bool):
        if not field(spec, "first_window", bool):
            raise ArtifactError(Reason.MALFORMED, "a filled window without trees")
        return {}
    branches, nodes = (n_trees, 2**height - 1), (n_trees, 2 ** (height + 1) - 1)
    columns = {
        "feature": array(arrays, f"{prefix}.feature", "<i4", branches),
        "threshold": array(arrays, f"{prefix}.threshold", "<f8", branches),
        "l_mass": array(arrays, f"{prefix}.l_mass", "<i8", nodes),
        "r_mass": array(arrays, f"{prefix}.r_mass", "<i8", nodes),
    }
    feature = columns["feature"]
    if feature.size and not (feature.min() >= 0 and feature.max() < n_features):
        raise ArtifactError(Reason.MALFORMED, f"a tree splits on a feature outside the {n_features} of the feature set")
    for name in ("l_mass", "r_mass"):
        if columns[name].min() < 0 or columns[name].max() > window:
            raise ArtifactError(Reason.MALFORMED, f"{name} must lie between 0 and the window's {window}")
    return columns


def _encode_nodes(trees: list[Any], features: Sequence[str], height: int, prefix: str, arrays: Arrays) -> None:
    """Fill the four arrays of nodes."""
    position = {name: index for index, name in enumerate(features)}
    feature = np.zeros((len(trees), 2**height - 1), dtype="<i4")
    threshold = np.zeros(feature.shape, dtype="<f8")
    masses = np.zeros((2, len(trees), 2 ** (height + 1) - 1), dtype="<i8")
    for tree, root in enumerate(trees):
        waiting = [(0, root)]
        while waiting:
            index, node = waiting.pop()
            masses[0, tree, index], masses[1, tree, index] = node.l_mass, node.r_mass
            if isinstance(node, HSTLeaf):
                continue
            if node.feature not in position:
                detail = f"a tree splits on {node.feature!r:.40}, which the feature set lacks"
                raise ArtifactError(Reason.UNSUPPORTED_MODEL, detail)
            feature[tree, index], threshold[tree, index] = position[node.feature], node.threshold
            waiting += [(2 * index + 1, node.left), (2 * index + 2, node.right)]
    arrays[f"{prefix}.feature"], arrays[f"{prefix}.threshold"] = feature, threshold
    arrays[f"{prefix}.l_mass"], arrays[f"{prefix}.r_mass"] = masses[0], masses[1]


def _node(row: Mapping[str, list[Any]], features: Sequence[str], index: int) -> RiverModel:
    """Build a node and everything below it."""
    masses = {"l_mass": row["l_mass"][index], "r_mass": row["r_mass"][index]}
    if index >= len(row["feature"]):
        return HSTLeaf(**masses)
    left, right = _node(row, features, 2 * index + 1), _node(row, features, 2 * index + 2)
    return HSTBranch(left, right, features[row["feature"][index]], row["threshold"][index], **masses)
