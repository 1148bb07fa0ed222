"""River's small objects as data: optimizers, schedules, losses, initializers.

An exact table says which classes exist for an artifact. Each is written as its type, its constructor's parameters, the
numbers that learning changed, and its dictionaries by feature. Dictionaries keep their order: River's arithmetic walks
them, and sums of floats depend on the order.
"""

from __future__ import annotations

import collections
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from river import optim, utils

from model_store.fields import array, field, names
from model_store.reason import Reason
from udfs.domain.errors import ArtifactError

__all__ = ["RiverModel", "decode_map", "decode_part", "encode_map", "encode_part", "plain"]

Arrays = dict[str, npt.NDArray[Any]]
RiverModel = Any
"""Anything of River's, or a container it learns into: River ships no types that say more."""


@dataclass(frozen=True, slots=True)
class _Part:
    """How one class is written: constructor parameters, numbers that change, dictionaries by feature."""

    cls: type[Any]
    params: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    maps: tuple[str, ...] = ()


_STEPS = ("n_iterations",)
_PARTS: dict[str, _Part] = {
    part.cls.__module__.removeprefix("river.") + "." + part.cls.__name__: part
    for part in (
        _Part(optim.SGD, ("lr",), _STEPS),
        _Part(optim.Momentum, ("lr", "rho"), _STEPS, ("s",)),
        _Part(optim.NesterovMomentum, ("lr", "rho"), _STEPS, ("s",)),
        _Part(optim.AdaGrad, ("lr", "eps"), _STEPS, ("g2",)),
        _Part(optim.AdaDelta, ("rho", "eps"), _STEPS, ("g2", "s2")),
        _Part(optim.RMSProp, ("lr", "rho", "eps"), _STEPS, ("g2",)),
        _Part(optim.Adam, ("lr", "beta_1", "beta_2", "eps"), _STEPS, ("m", "v")),
        _Part(optim.AdaMax, ("lr", "beta_1", "beta_2", "eps"), _STEPS, ("m", "u")),
        _Part(optim.Nadam, ("lr", "beta_1", "beta_2", "eps"), _STEPS, ("m", "v")),
        _Part(optim.AMSGrad, ("lr", "beta_1", "beta_2", "eps", "correct_bias"), _STEPS, ("m", "v", "v_hat")),
        _Part(optim.FTRLProximal, ("alpha", "beta", "l1", "l2"), _STEPS, ("z", "n")),
        _Part(optim.schedulers.Constant, ("learning_rate",)),
        _Part(optim.schedulers.InverseScaling, ("learning_rate", "power")),
        _Part(optim.schedulers.Optimal, ("loss", "alpha")),
        _Part(optim.initializers.Zeros),
        _Part(optim.initializers.Constant, ("value",)),
        _Part(optim.losses.Log, ("weight_pos", "weight_neg")),
        _Part(optim.losses.Hinge, ("threshold",)),
        _Part(optim.losses.BinaryFocalLoss, ("gamma", "beta")),
        _Part(optim.losses.Squared),
        _Part(optim.losses.Absolute),
        _Part(optim.losses.Cauchy, ("C",)),
        _Part(optim.losses.Huber, ("epsilon",)),
        _Part(optim.losses.Quantile, ("alpha",)),
        _Part(optim.losses.EpsilonInsensitiveHinge, ("eps",)),
    )
}


def encode_part(part: RiverModel, prefix: str, arrays: Arrays) -> dict[str, Any]:
    """Write one of River's small objects.

    Parameters
    ----------
    part
        An optimizer, a schedule, a loss or an initializer.
    prefix
        Where its arrays go: ``prefix.attribute``.
    arrays
        Receives the arrays.

    Raises
    ------
    ArtifactError
        ``unsupported_model`` for a class that is not in the table.
    """
    cls = type(part)
    name = cls.__module__.removeprefix("river.") + "." + cls.__name__
    known = _PARTS.get(name)
    if known is None or known.cls is not cls:
        raise ArtifactError(
            Reason.UNSUPPORTED_MODEL, f"{cls.__module__}.{cls.__name__} has no form as data; use another"
        )
    spec: dict[str, Any] = {"type": name}
    for param in known.params:
        value = getattr(part, param)
        simple = value is None or isinstance(value, bool | int | float)
        spec[param] = plain(value) if simple else encode_part(value, f"{prefix}.{param}", arrays)
    for number in known.state:
        spec[number] = plain(getattr(part, number))
    for attribute in known.maps:
        spec[attribute] = encode_map(getattr(part, attribute), f"{prefix}.{attribute}", arrays)
    return spec


def decode_part(spec: object, prefix: str, arrays: Mapping[str, npt.NDArray[Any]], base: type[Any]) -> RiverModel:
    """Build the object again; only classes of the table, and only of the kind asked for, can come out.

    Raises
    ------
    ArtifactError
        ``unknown_kind`` for a type that is not in the table, ``malformed`` for a description that does not fit it.
    """
    name = field(spec, "type", str)
    known = _PARTS.get(name)
    if known is None or not issubclass(known.cls, base) or not isinstance(spec, dict):
        raise ArtifactError(Reason.UNKNOWN_KIND, f"{name} is no {base.__name__} this code knows")
    params: dict[str, Any] = {}
    for param in known.params:
        value = spec.get(param)
        if isinstance(value, dict):
            kind = optim.base.Loss if param == "loss" else optim.base.Scheduler
            value = decode_part(value, f"{prefix}.{param}", arrays, kind)
        elif type(value) not in (int, float, bool):
            raise ArtifactError(Reason.MALFORMED, f"{name}.{param} must be a number, got {type(value).__name__}")
        params[param] = value
    part = known.cls(**params)
    for number in known.state:
        setattr(part, number, field(spec, number, int))
    for attribute in known.maps:
        setattr(part, attribute, decode_map(spec.get(attribute), f"{prefix}.{attribute}", arrays))
    return part


def plain(value: object) -> bool | int | float | None:
    """Return a number as Python's own type; numpy's scalars print as something else in JSON.

    Examples
    --------
    >>> plain(np.float64(0.5))
    0.5
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    return int(value) if isinstance(value, int | np.integer) else float(value)  # type: ignore[arg-type]


def encode_map(values: RiverModel, prefix: str, arrays: Arrays) -> dict[str, Any] | None:
    """Write a dictionary of numbers by feature name, with its order and its container.

    Buckets of hashed strings are ints; ``buckets`` says at which places.
    """
    if values is None:
        return None
    vector = isinstance(values, utils.VectorDict)
    items = dict(values.to_dict() if vector else values)
    keys = [str(name) for name in items]
    if not all(type(name) in (str, int) for name in items) or len(set(keys)) != len(keys):
        detail = f"the features of {prefix} must have names that are strings, or numbers of buckets"
        raise ArtifactError(Reason.UNSUPPORTED_MODEL, detail)
    arrays[prefix] = np.array([float(value) for value in items.values()], dtype="<f8")
    spec = {"container": "vector" if vector else "dict", "names": keys}
    buckets = [at for at, name in enumerate(items) if type(name) is int]
    return spec | {"buckets": buckets} if buckets else spec


def decode_map(spec: object, prefix: str, arrays: Mapping[str, npt.NDArray[Any]]) -> RiverModel:
    """Build the dictionary again: a VectorDict, or a defaultdict of floats."""
    if spec is None:
        return None
    keys: list[str | int] = list(names(spec, "names"))
    for at in field(spec, "buckets", list) if isinstance(spec, dict) and "buckets" in spec else ():
        keys[at] = int(keys[at])
    items = dict(zip(keys, array(arrays, prefix, "<f8", (len(keys),)).tolist(), strict=True))
    if field(spec, "container", str) == "vector":
        return utils.VectorDict(items)
    return collections.defaultdict(float, items)
