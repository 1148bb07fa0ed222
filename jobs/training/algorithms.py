"""The algorithms ``weir train`` knows: River pipelines by name, made from a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from udfs.domain.errors import SettingsError

__all__ = ["ALGORITHMS", "Algorithm", "algorithm_of"]


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A kind of model.

    Parameters
    ----------
    name
        As on the command line.
    supervised
        Whether it learns from labels (when they become known) or from every transaction at once.
    parameters
        Its hyperparameters, for the record.
    make
        Builds an untrained River pipeline from a seed.
    """

    name: str
    supervised: bool
    parameters: Mapping[str, Any]
    make: Callable[[int], Any]


def _half_space_trees(seed: int) -> Any:  # noqa: ANN401 - River's pipelines are untyped
    from river import anomaly, preprocessing

    return preprocessing.MinMaxScaler() | anomaly.HalfSpaceTrees(**_TREES, seed=seed)


def _logistic_regression(seed: int) -> Any:  # noqa: ANN401 - nothing in it is random
    from river import linear_model, optim, preprocessing

    return preprocessing.StandardScaler() | linear_model.LogisticRegression(optimizer=optim.SGD(_LEARNING_RATE))


_TREES = {"n_trees": 10, "height": 8, "window_size": 250}
_LEARNING_RATE = 0.01

ALGORITHMS: Mapping[str, Algorithm] = MappingProxyType(
    {
        "half-space-trees": Algorithm("half-space-trees", False, MappingProxyType(_TREES), _half_space_trees),
        "logistic-regression": Algorithm(
            "logistic-regression", True, MappingProxyType({"learning_rate": _LEARNING_RATE}), _logistic_regression
        ),
    }
)
"""Every algorithm by its name."""


def algorithm_of(name: str) -> Algorithm:
    """Return an algorithm by name.

    Raises
    ------
    SettingsError
        For a name there is none of.

    Examples
    --------
    >>> algorithm_of("logistic-regression").supervised
    True
    """
    if name not in ALGORITHMS:
        msg = f"There is no algorithm {name!r}; choose one of {', '.join(ALGORITHMS)}."
        raise SettingsError(msg)
    return ALGORITHMS[name]
