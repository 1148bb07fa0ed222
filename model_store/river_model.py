"""Turns a River model into an artifact's description and arrays, and back.

A model is any number of scalers followed by half-space trees or by a linear model, as a pipeline or bare; or a union that
encodes strings followed by a linear model (:mod:`model_store.encoder_state`). The kinds:

``half_space_trees``  ``[scaler |]* HalfSpaceTrees``; the score is ``score_one``
``linear``            ``[scaler |]* linear model`` or ``union | linear model``; the score is ``predict_proba_one(x)[True]``
                      or ``predict_one``

Header key ``model``: ``{"pipeline": bool, "steps": [{"name", "type", ...}, ...]}``; the arrays of step i begin ``i.``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt
from river import anomaly, compose

from model_store.artifact import Artifact
from model_store.encoder_state import UNION, check_strings, decode_union, encode_union
from model_store.fields import field, names
from model_store.linear_state import LINEAR_MODELS, decode_linear, encode_linear
from model_store.reason import Reason
from model_store.river_parts import RiverModel
from model_store.scaler_state import SCALERS, decode_scaler, encode_scaler
from model_store.tree_state import decode_trees, encode_trees
from udfs.domain.errors import ArtifactError

__all__ = ["KINDS", "MISFITS", "TREES", "decode_model", "encode_model", "kind_of", "steps_of"]

TREES = "HalfSpaceTrees"
KINDS = ("half_space_trees", "linear")
"""The kinds of model this version of the code can load."""
MISFITS = (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError, RecursionError)
"""What Python raises when data does not have the shape that the code expects."""


def kind_of(type_name: str) -> str | None:
    """Return the kind of a model that ends in this type, None when there is none.

    Examples
    --------
    >>> kind_of("HalfSpaceTrees"), kind_of("LogisticRegression"), kind_of("ARFClassifier")
    ('half_space_trees', 'linear', None)
    """
    if type_name == TREES:
        return "half_space_trees"
    return "linear" if type_name in LINEAR_MODELS else None


def encode_model(
    model: RiverModel, features: Sequence[str], strings: Sequence[str] = ()
) -> tuple[str, dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Describe a model.

    Parameters
    ----------
    model
        A River model or pipeline; it is read, never changed.
    features
        The feature set's names in order.
    strings
        Those among them that are strings.

    Returns
    -------
    The kind, the header's ``model`` and the arrays.

    Raises
    ------
    ArtifactError
        ``unsupported_model`` for anything this format has no form for.
    """
    pipeline = type(model) is compose.Pipeline
    steps = list(model.steps.items()) if pipeline else [(type(model).__name__, model)]
    arrays: dict[str, npt.NDArray[Any]] = {}
    specs = []
    for index, (name, step) in enumerate(steps):
        before_linear = index == 0 and len(steps) == 2 and type(steps[-1][1]).__name__ in LINEAR_MODELS
        if type(step) is compose.TransformerUnion and before_linear:
            spec = encode_union(step, str(index), arrays)
        else:
            spec = _encode_step(step, str(index), features, arrays, last=index == len(steps) - 1)
        specs.append({"name": str(name), "type": type(step).__name__, **spec})
    kind = kind_of(specs[-1]["type"])
    assert kind is not None
    _check_names(specs, features, strings)
    return kind, {"pipeline": pipeline, "steps": specs}, arrays


def steps_of(artifact: Artifact) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    """Return the feature names and the described steps, checked as far as every loader needs it.

    Raises
    ------
    ArtifactError
        ``unknown_kind`` or ``malformed``. A header of another shape altogether raises one of ``MISFITS``, which the
        callers translate.
    """
    kind = artifact.header.get("kind")
    if kind not in KINDS:
        raise ArtifactError(Reason.UNKNOWN_KIND, f"kind {kind!r:.60}; this code loads {', '.join(KINDS)}")
    feature_set = field(artifact.header, "feature_set", dict)
    features = tuple(names(feature_set, "features"))
    strings = names(feature_set, "strings") if "strings" in feature_set else []
    model = field(artifact.header, "model", dict)
    steps = field(model, "steps", list)
    if not features or not steps or not all(isinstance(step, dict) for step in steps):
        raise ArtifactError(Reason.MALFORMED, "an artifact needs features and steps")
    types = [field(step, "type", str) for step in steps]
    encoded = types[0] == UNION and len(types) == 2 and types[1] in LINEAR_MODELS
    unknown = [] if encoded else [name for name in types[:-1] if name not in SCALERS]
    if kind_of(types[-1]) is None or unknown:
        raise ArtifactError(
            Reason.UNKNOWN_KIND, f"steps {' | '.join(types)}: {(unknown or types[-1:])[0]!r:.60} is not known"
        )
    if kind_of(types[-1]) != kind:
        raise ArtifactError(Reason.MALFORMED, f"kind {kind} does not end in {types[-1]}")
    _check_names(steps, features, strings)
    return features, steps


def decode_model(artifact: Artifact) -> RiverModel:
    """Build the River model again, ready to score and to go on learning. Runs no code of the artifact's.

    Raises
    ------
    ArtifactError
        ``unknown_kind``, ``malformed`` or ``not_finite``.
    """
    built: list[tuple[str, Any]] = []
    try:
        features, steps = steps_of(artifact)
        for index, step in enumerate(steps):
            name = field(step, "name", str)
            if step["type"] in SCALERS:
                built.append((name, decode_scaler(step, str(index), artifact.arrays)))
            elif step["type"] == UNION:
                built.append((name, decode_union(step, str(index), artifact.arrays)))
            elif step["type"] == TREES:
                built.append((name, decode_trees(step, features, str(index), artifact.arrays)))
            else:
                built.append((name, decode_linear(step, str(index), artifact.arrays)))
        return compose.Pipeline(*built) if field(artifact.header["model"], "pipeline", bool) else built[-1][1]
    except MISFITS as error:
        raise ArtifactError(Reason.MALFORMED, f"the model does not fit its description: {error!r:.200}") from error


def _encode_step(
    step: RiverModel, prefix: str, features: Sequence[str], arrays: dict[str, npt.NDArray[Any]], *, last: bool
) -> dict[str, Any]:
    """Describe one step; subclasses of known classes are not known."""
    cls = type(step)
    if not last and SCALERS.get(cls.__name__) is cls:
        return encode_scaler(step, prefix, arrays)
    if last and cls is anomaly.HalfSpaceTrees:
        return encode_trees(step, features, prefix, arrays)
    if last and LINEAR_MODELS.get(cls.__name__) is cls:
        return encode_linear(step, prefix, arrays)
    detail = f"{cls.__module__}.{cls.__name__}: artifacts hold {', '.join(SCALERS)} and then {TREES} or a linear model"
    raise ArtifactError(Reason.UNSUPPORTED_MODEL, detail)


def _check_names(steps: Sequence[dict[str, Any]], features: Sequence[str], strings: Sequence[str]) -> None:
    """Refuse a model that learned a feature which the feature set does not have: it would score something else."""
    check_strings(steps, features, strings)
    numbers = set(features) - set(strings)
    for step in steps:
        branches = step["branches"] if step["type"] == UNION else []
        used = step.get("names") or (step.get("weights") or {}).get("names") or []
        buckets = set((step.get("weights") or {}).get("buckets", ()))
        for part in (part for branch in branches for part in branch["steps"]):
            used = [*used, *(part.get("names") or ())]
        encoded = () if steps[0]["type"] != UNION else tuple(f"{name}_" for name in strings)
        strangers = [
            name
            for at, name in enumerate(used)
            if name not in numbers and at not in buckets and not (encoded and name.startswith(encoded))
        ]
        if strangers:
            raise ArtifactError(
                Reason.UNSUPPORTED_MODEL, f"{step['type']} uses {strangers[0]!r:.60}, not in the feature set"
            )
