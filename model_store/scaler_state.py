"""River's scalers as arrays: what they learned, and the two numbers per feature that scoring needs of it.

Only features that were learned are written, in alphabetical order: reading a scaler inserts empty entries into its
dictionaries, and those must not change the artifact's digest. Order inside a scaler never reaches a sum.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from river import preprocessing

from model_store.fields import array, field, names
from model_store.reason import Reason
from model_store.river_parts import RiverModel
from udfs.domain.errors import ArtifactError

__all__ = ["SCALERS", "decode_scaler", "encode_scaler", "scale_of"]

Arrays = dict[str, npt.NDArray[Any]]
SCALERS = {
    cls.__name__: cls for cls in (preprocessing.MinMaxScaler, preprocessing.MaxAbsScaler, preprocessing.StandardScaler)
}
"""The scalers an artifact may hold, by type name."""


def encode_scaler(scaler: RiverModel, prefix: str, arrays: Arrays) -> dict[str, Any]:
    """Write a scaler into ``arrays`` under ``prefix.*`` and return its description."""
    if isinstance(scaler, preprocessing.StandardScaler):
        keys = _sorted_names(key for key, count in scaler.counts.items() if count)
        arrays[f"{prefix}.count"] = np.array([int(scaler.counts[key]) for key in keys], dtype="<i8")
        arrays[f"{prefix}.mean"] = _floats(scaler.means[key] for key in keys)
        if scaler.with_std:
            arrays[f"{prefix}.var"] = _floats(scaler.vars[key] for key in keys)
        return {"names": keys, "with_std": bool(scaler.with_std)}
    if isinstance(scaler, preprocessing.MinMaxScaler):
        keys = _sorted_names(key for key, low in scaler.min.items() if low.min != math.inf)
        arrays[f"{prefix}.min"] = _floats(scaler.min[key].min for key in keys)
        arrays[f"{prefix}.max"] = _floats(scaler.max[key].max for key in keys)
        return {"names": keys}
    keys = _sorted_names(key for key, high in scaler.abs_max.items() if high.abs_max != 0.0)
    arrays[f"{prefix}.abs_max"] = _floats(scaler.abs_max[key].abs_max for key in keys)
    return {"names": keys}


def decode_scaler(spec: Mapping[str, Any], prefix: str, arrays: Mapping[str, npt.NDArray[Any]]) -> RiverModel:
    """Build the scaler again, ready to go on learning."""
    keys = names(spec, "names")
    scaler = SCALERS[field(spec, "type", str)]()
    columns = _columns(spec, prefix, arrays)
    if isinstance(scaler, preprocessing.StandardScaler):
        scaler.with_std = field(spec, "with_std", bool)
        scaler.counts.update(dict(zip(keys, columns["count"].tolist(), strict=True)))
        scaler.means.update(zip(keys, columns["mean"].tolist(), strict=True))
        if scaler.with_std:
            scaler.vars.update(zip(keys, columns["var"].tolist(), strict=True))
        return scaler
    for attribute, by_name in vars(scaler).items():
        for key, value in zip(keys, columns[attribute].tolist(), strict=True):
            setattr(by_name[key], attribute, value)
    return scaler


def scale_of(
    spec: Mapping[str, Any], prefix: str, arrays: Mapping[str, npt.NDArray[Any]], features: Sequence[str]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return offset and divisor per feature: scaled = (x - offset) / divisor, or 0.0 where the divisor is 0.

    That is River's own expression for each scaler, with what does not depend on ``x`` computed beforehand. A feature
    that was never learned keeps what River would use: (inf, -inf) of an empty minimum and maximum, or (0, 0).
    The standard deviation is ``var ** 0.5``, which is C's ``pow`` and may differ from ``sqrt`` in the last bit.
    """
    keys = names(spec, "names")
    columns = _columns(spec, prefix, arrays)
    kind = field(spec, "type", str)
    offset, divisor = np.zeros(len(features)), np.zeros(len(features))
    if kind == "MinMaxScaler":
        offset[:], divisor[:] = math.inf, -math.inf
    if kind == "StandardScaler" and not field(spec, "with_std", bool):
        divisor[:] = 1.0
    position = {name: index for index, name in enumerate(features)}
    for row, key in enumerate(keys):
        at = position.get(key)
        if at is None:
            raise ArtifactError(Reason.MALFORMED, f"the scaler knows a feature {key!r:.40} that the feature set lacks")
        if kind == "MinMaxScaler":
            low, high = float(columns["min"][row]), float(columns["max"][row])
            offset[at], divisor[at] = low, high - low
        elif kind == "MaxAbsScaler":
            divisor[at] = columns["abs_max"][row]
        else:
            offset[at] = columns["mean"][row]
            if "var" in columns:
                divisor[at] = float(columns["var"][row]) ** 0.5
    return offset, divisor


def _columns(
    spec: Mapping[str, Any], prefix: str, arrays: Mapping[str, npt.NDArray[Any]]
) -> dict[str, npt.NDArray[Any]]:
    """Return the scaler's arrays, checked."""
    size = (len(names(spec, "names")),)
    kind = field(spec, "type", str)
    if kind == "MinMaxScaler":
        wanted = {"min": "<f8", "max": "<f8"}
    elif kind == "MaxAbsScaler":
        wanted = {"abs_max": "<f8"}
    else:
        wanted = {"count": "<i8", "mean": "<f8"} | ({"var": "<f8"} if field(spec, "with_std", bool) else {})
    columns = {name: array(arrays, f"{prefix}.{name}", dtype, size) for name, dtype in wanted.items()}
    # A negative variance has a complex root, and River would go on with it.
    if any((columns[name] < 0).any() for name in ("count", "var", "abs_max") if name in columns):
        raise ArtifactError(Reason.MALFORMED, "a count, a variance or an absolute maximum is negative")
    return columns


def _floats(values: Iterable[Any]) -> npt.NDArray[np.float64]:
    return np.array([float(value) for value in values], dtype="<f8")


def _sorted_names(keys: Iterable[Any]) -> list[str]:
    keys = list(keys)
    if not all(isinstance(key, str) for key in keys):
        raise ArtifactError(Reason.UNSUPPORTED_MODEL, "a scaler's features must have names that are strings")
    return sorted(keys)
