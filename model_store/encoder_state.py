"""Strings in front of a linear model as data: River's ``TransformerUnion`` of numbers and of encoded strings.

The one form that has data::

    ([SelectType(float) [| scaler]*] + [SelectType(str) | OneHotEncoder or FeatureHasher]) | linear model

in either order, but a hasher stands behind the numbers: what it returns answers 0 for every name it does not have, so
River would read each number behind it as 0. ``SelectType`` and not ``Select``: that one walks a set, so its order, and with
it the rounding of a score, differs from process to process. Half-space trees and later scalers have no such form for the
same reason: they would meet the zeros of an encoder, which are in the order of a set, too.
"""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from river import compose, preprocessing

from model_store.fields import field
from model_store.reason import Reason
from model_store.river_parts import RiverModel
from model_store.scaler_state import SCALERS, decode_scaler, encode_scaler
from udfs.domain.errors import ArtifactError

__all__ = ["HASHER", "ONE_HOT", "UNION", "check_strings", "decode_union", "encode_union", "is_text"]

Arrays = dict[str, npt.NDArray[Any]]
UNION, ONE_HOT, HASHER = "TransformerUnion", "OneHotEncoder", "FeatureHasher"
MOST_CATEGORIES = 20_000
_TYPES: dict[str, type[Any]] = {"float": float, "int": int, "str": str, "Number": numbers.Number}


def encode_union(union: RiverModel, prefix: str, arrays: Arrays) -> dict[str, Any]:
    """Write a union into ``arrays`` under ``prefix.*`` and return its description.

    Raises
    ------
    ArtifactError
        ``unsupported_model`` for any other form than the module's.
    """
    branches = [
        _encode_branch(name, part, f"{prefix}.{number}", arrays)
        for number, (name, part) in enumerate(union.transformers.items())
    ]
    _check_branches(branches, Reason.UNSUPPORTED_MODEL)
    return {"branches": branches}


def decode_union(spec: Mapping[str, Any], prefix: str, arrays: Mapping[str, npt.NDArray[Any]]) -> RiverModel:
    """Build the union again, ready to go on learning.

    Raises
    ------
    ArtifactError
        ``unknown_kind`` or ``malformed``.
    """
    branches = field(spec, "branches", list)
    _check_branches(branches, Reason.MALFORMED)
    union = compose.TransformerUnion()
    for number, branch in enumerate(branches):
        built = [
            (field(step, "name", str), _decode_step(step, f"{prefix}.{number}.{at}", arrays))
            for at, step in enumerate(branch["steps"])
        ]
        whole = compose.Pipeline(*built) if field(branch, "pipeline", bool) else built[0][1]
        union.transformers[field(branch, "name", str)] = whole
    return union


def is_text(branch: Mapping[str, Any]) -> bool:
    """Tell whether a described branch takes the strings; else it takes the numbers."""
    return bool(branch["steps"][0]["types"] == ["str"])


def check_strings(steps: Sequence[Mapping[str, Any]], features: Sequence[str], strings: Sequence[str]) -> None:
    """Refuse a model whose strings and feature set do not fit each other.

    Raises
    ------
    ArtifactError
        ``unsupported_model``: strings without an encoder, or names from which one column could come twice.
    """
    if not strings:
        return
    if steps[0]["type"] != UNION:
        detail = f"the feature set has strings ({', '.join(strings)}), the model no {UNION} that encodes them"
        raise ArtifactError(Reason.UNSUPPORTED_MODEL, detail)
    for name in strings:
        twin = next((other for other in features if other.startswith(f"{name}_")), None)
        if twin is not None:
            detail = f"the string {name!r:.60} and the feature {twin!r:.60} could give one column; rename one of them"
            raise ArtifactError(Reason.UNSUPPORTED_MODEL, detail)


def _encode_branch(name: str, part: RiverModel, prefix: str, arrays: Arrays) -> dict[str, Any]:
    pipeline = type(part) is compose.Pipeline
    steps = list(part.steps.items()) if pipeline else [(type(part).__name__, part)]
    specs = [
        {"name": str(step_name), "type": type(step).__name__, **_encode_step(step, f"{prefix}.{at}", arrays)}
        for at, (step_name, step) in enumerate(steps)
    ]
    return {"name": str(name), "pipeline": pipeline, "steps": specs}


def _encode_step(step: RiverModel, prefix: str, arrays: Arrays) -> dict[str, Any]:
    cls = type(step)
    if SCALERS.get(cls.__name__) is cls:
        return encode_scaler(step, prefix, arrays)
    if cls is compose.SelectType:
        return {"types": sorted(name for name, known in _TYPES.items() if known in step.types)}
    if cls is preprocessing.OneHotEncoder and not step.drop_first:
        values = [[name, sorted(seen)] for name, seen in step.values.items() if seen]
        return {"drop_zeros": bool(step.drop_zeros), "values": values}
    if cls is preprocessing.FeatureHasher:
        return {"n_features": int(step.n_features), "seed": step.seed, "salt": step._salt.hex()}  # noqa: SLF001
    detail = f"{cls.__module__}.{cls.__name__} in a {UNION}: see model_store/encoder_state.py for the form there is"
    raise ArtifactError(Reason.UNSUPPORTED_MODEL, detail)


def _decode_step(step: Mapping[str, Any], prefix: str, arrays: Mapping[str, npt.NDArray[Any]]) -> RiverModel:
    kind = step["type"]
    if kind in SCALERS:
        return decode_scaler(step, prefix, arrays)
    if kind == "SelectType":
        return compose.SelectType(*(_TYPES[name] for name in step["types"]))
    if kind == ONE_HOT:
        encoder = preprocessing.OneHotEncoder(drop_zeros=field(step, "drop_zeros", bool))
        for name, seen in _categories(step):
            encoder.values[name] = set(seen)
        return encoder
    hasher = preprocessing.FeatureHasher(n_features=field(step, "n_features", int), seed=step.get("seed"))
    hasher._salt = bytes.fromhex(field(step, "salt", str))  # noqa: SLF001 - without a seed it cannot be had again
    return hasher


def _categories(step: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    pairs = [(name, seen) for name, seen in field(step, "values", list)]
    texts = [text for name, seen in pairs for text in (name, *seen)]
    if not all(type(text) is str for text in texts) or len({name for name, _ in pairs}) != len(pairs):
        raise ArtifactError(Reason.MALFORMED, "the categories of a one-hot encoder must be strings by feature")
    return pairs


def _check_branches(branches: Sequence[Mapping[str, Any]], reason: str) -> None:
    """Hold a description to the module's form; both directions need that."""
    texts = []
    for branch in branches:
        first, *others = field(branch, "steps", list)
        kinds = [field(step, "type", str) for step in others]
        types = field(first, "types", list) if first.get("type") == "SelectType" else []
        text = types == ["str"]
        texts.append(text)
        numeric = bool({"float", "Number"} & set(types)) and set(types) <= {"float", "int", "Number"}
        fits = kinds in ([ONE_HOT], [HASHER]) if text else numeric and all(kind in SCALERS for kind in kinds)
        if not fits or any(step["type"] == HASHER and not _sound(step) for step in others):
            detail = f"a branch {' | '.join([str(first.get('type')), *kinds])} of {types} has no form as data"
            raise ArtifactError(reason, detail)
        one_hot = [step for step in others if step["type"] == ONE_HOT]
        if sum(len(seen) for step in one_hot for _, seen in _categories(step)) > MOST_CATEGORIES:
            raise ArtifactError(reason, f"a one-hot encoder with more than {MOST_CATEGORIES:,} categories; hash them")
    if texts == [True, False] and branches[0]["steps"][-1]["type"] == HASHER:
        raise ArtifactError(
            reason, f"a {HASHER} in front of the numbers makes River read them as 0; put it behind them"
        )
    if sorted(texts) not in ([False, True], [True]):
        raise ArtifactError(reason, f"a {UNION} needs one branch of strings and at most one of numbers")


def _sound(hasher: Mapping[str, Any]) -> bool:
    seed, salt = hasher.get("seed"), hasher.get("salt")
    salted = type(salt) is str and len(salt) == 16 and np.all([each in "0123456789abcdef" for each in salt])
    return bool(salted) and field(hasher, "n_features", int) > 0 and (seed is None or type(seed) is int)
