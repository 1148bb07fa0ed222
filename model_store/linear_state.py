"""River's linear models as numbers: weights in their order, intercept, optimizer and all that learning needs.

The order of the weights is data: River's dot product walks the shorter of the two dictionaries, so the order in which
features were first seen decides how the float sum is rounded.
"""

from __future__ import annotations

import collections
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt
from river import linear_model, optim, utils

from model_store.fields import field
from model_store.reason import Reason
from model_store.river_parts import RiverModel, decode_map, decode_part, encode_map, encode_part, plain
from udfs.domain.errors import ArtifactError

__all__ = ["LINEAR_MODELS", "decode_linear", "encode_linear", "is_regression"]

Arrays = dict[str, npt.NDArray[Any]]
_GLM = ("LogisticRegression", "LinearRegression", "Perceptron")
_PARTS = {"optimizer": optim.base.Optimizer, "loss": optim.base.Loss, "initializer": optim.base.Initializer}
_ONLINE = {
    # type: (constructor parameters, attribute of the weights, numbers that learning changes)
    "PAClassifier": (("C", "mode", "learn_intercept"), "weights", ("intercept",)),
    "PARegressor": (("C", "mode", "eps", "learn_intercept"), "weights", ("intercept",)),
    "ALMAClassifier": (("p", "alpha", "B", "C"), "w", ("k",)),
}
LINEAR_MODELS: dict[str, type[Any]] = {name: getattr(linear_model, name) for name in (*_GLM, *_ONLINE)}
"""The linear models an artifact may hold, by type name."""


def encode_linear(model: RiverModel, prefix: str, arrays: Arrays) -> dict[str, Any]:
    """Write a linear model with its whole learning state.

    Raises
    ------
    ArtifactError
        ``unsupported_model``: an optimizer, a loss or an initializer that has no form as data.
    """
    kind = type(model).__name__
    if kind in _ONLINE:
        params, weights, numbers = _ONLINE[kind]
        spec: dict[str, Any] = {name: plain(getattr(model, name)) for name in (*params, *numbers)}
        spec["weights"] = encode_map(getattr(model, weights), f"{prefix}.weights", arrays)
        return spec
    spec = {name: encode_part(getattr(model, name), f"{prefix}.{name}", arrays) for name in _PARTS}
    spec["intercept_lr"] = encode_part(model.intercept_lr, f"{prefix}.intercept_lr", arrays)
    for name in ("l1", "l2", "intercept_init", "intercept", "clip_gradient"):
        spec[name] = plain(getattr(model, name))
    spec["weights"] = encode_map(model._weights, f"{prefix}.weights", arrays)  # noqa: SLF001 - `weights` is a copy
    if model.l1 != 0:
        spec["max_cum_l1"] = plain(model.max_cum_l1)
        spec["cum_l1"] = encode_map(model.cum_l1, f"{prefix}.cum_l1", arrays)
    return spec


def decode_linear(spec: Mapping[str, Any], prefix: str, arrays: Mapping[str, npt.NDArray[Any]]) -> RiverModel:
    """Build the model again, ready to go on learning."""
    kind = field(spec, "type", str)
    if kind in _ONLINE:
        params, weights, numbers = _ONLINE[kind]
        model: RiverModel = LINEAR_MODELS[kind](**{name: _number(spec, name) for name in params})
        setattr(
            model, weights, collections.defaultdict(float, decode_map(spec["weights"], f"{prefix}.weights", arrays))
        )
        for name in numbers:
            setattr(model, name, _number(spec, name))
        return model
    parts = {name: decode_part(spec.get(name), f"{prefix}.{name}", arrays, base) for name, base in _PARTS.items()}
    schedule = decode_part(spec.get("intercept_lr"), f"{prefix}.intercept_lr", arrays, optim.base.Scheduler)
    numbers_of = {name: _number(spec, name) for name in ("l1", "l2", "intercept_init", "clip_gradient")}
    model = object.__new__(LINEAR_MODELS[kind])
    # A Perceptron's own constructor takes only some of these; the constructor they share takes all.
    linear_model.base.GLM.__init__(model, **parts, **numbers_of, intercept_lr=schedule)
    model.intercept = _number(spec, "intercept")
    model._weights = _vector(spec, "weights", prefix, arrays)
    if model.l1 != 0:
        model.max_cum_l1 = _number(spec, "max_cum_l1")
        cumulated = _vector(spec, "cum_l1", prefix, arrays)
        model.cum_l1 = utils.VectorDict(cumulated.to_dict(), optim.initializers.Zeros())
    return model


def is_regression(model: RiverModel) -> bool:
    """Tell whether the score is the sum itself; else River squashes it.

    Passive-aggressive models and ALMA have losses too, but squash (or not) by what they are.
    """
    glm = hasattr(model, "_weights")
    loss = getattr(model, "loss", None)
    return type(model).__name__ == "PARegressor" or (glm and not isinstance(loss, optim.losses.BinaryLoss))


def _vector(spec: Mapping[str, Any], name: str, prefix: str, arrays: Mapping[str, npt.NDArray[Any]]) -> RiverModel:
    values = decode_map(spec.get(name), f"{prefix}.{name}", arrays)
    if not isinstance(values, utils.VectorDict):
        raise ArtifactError(Reason.MALFORMED, f"{name} must be a vector")
    return values


def _number(spec: Mapping[str, Any], name: str) -> float | bool:
    value = spec.get(name)
    if not isinstance(value, int | float | bool):
        raise ArtifactError(Reason.MALFORMED, f"{name} must be a number, got {type(value).__name__}")
    return value
