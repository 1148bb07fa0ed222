"""Reads values out of a header whose writer is not trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from model_store.reason import Reason
from udfs.domain.errors import ArtifactError

__all__ = ["array", "field", "names"]

T = TypeVar("T")


def field(obj: object, key: str, kind: type[T]) -> T:
    """Return ``obj[key]`` when it has exactly that type.

    Raises
    ------
    ArtifactError
        ``malformed`` when it is not there or is something else. A bool is no int, an int is no float.

    Examples
    --------
    >>> field({"height": 8}, "height", int)
    8
    """
    value = obj.get(key) if isinstance(obj, Mapping) else None
    if type(value) is not kind:
        detail = f"{key} must be a {kind.__name__}, got {type(value).__name__}"
        raise ArtifactError(Reason.MALFORMED, detail)
    return value


def names(obj: object, key: str) -> list[str]:
    """Return ``obj[key]`` when it is a list of different strings; else ``malformed``."""
    values = field(obj, key, list)
    if not all(type(value) is str for value in values) or len(set(values)) != len(values):
        raise ArtifactError(Reason.MALFORMED, f"{key} must be a list of different names")
    return values


def array(arrays: Mapping[str, npt.NDArray[Any]], name: str, dtype: str, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Return an array when it has that dtype and shape and only finite numbers.

    Raises
    ------
    ArtifactError
        ``malformed`` (missing, other dtype or shape) or ``not_finite`` (NaN or infinity).

    Examples
    --------
    >>> array({"w": np.array([0.5])}, "w", "<f8", (1,)).tolist()
    [0.5]
    """
    value = arrays.get(name)
    if value is None or value.dtype != np.dtype(dtype) or value.shape != shape:
        got = "nothing" if value is None else f"{value.dtype}{list(value.shape)}"
        raise ArtifactError(Reason.MALFORMED, f"array {name} must be {dtype}{list(shape)}, got {got}")
    if value.dtype.kind == "f" and not np.isfinite(value).all():
        raise ArtifactError(Reason.NOT_FINITE, f"array {name} holds NaN or infinity")
    return value
