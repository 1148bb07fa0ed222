"""Lays a model's numbers out for the kernels: sizes, addresses, and the memory that the addresses point into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from model_store import kernel_source as at
from model_store.artifact import Artifact
from model_store.linear_state import decode_linear, is_regression
from model_store.reason import Reason
from model_store.river_model import steps_of
from model_store.river_parts import RiverModel
from model_store.scaler_state import scale_of
from model_store.tree_state import tree_arrays
from udfs.domain.errors import ArtifactError

__all__ = ["Plan"]

Array = npt.NDArray[Any]


class Plan:
    """A loaded model in the form the kernels read. It owns the memory, so keep it as long as its address is used.

    Parameters
    ----------
    artifact
        A decoded artifact of kind ``half_space_trees`` or ``linear``.

    Raises
    ------
    ArtifactError
        ``unknown_kind``, ``malformed`` or ``not_finite``.
    """

    def __init__(self, artifact: Artifact) -> None:
        self.features, steps = steps_of(artifact)
        self.kind: str = artifact.header["kind"]
        self.warm = True
        self.sigmoid = False
        self._fields = np.zeros(at.PLAN_SIZE, dtype=np.int64)
        self._memory: list[Array] = [self._fields]
        self._fields[at.N_FEATURES] = len(self.features)
        self._point(at.SCRATCH, np.zeros(len(self.features)))
        self._lay_out_scalers(steps[:-1], artifact.arrays)
        prefix = str(len(steps) - 1)
        if self.kind == "half_space_trees":
            self._lay_out_trees(steps[-1], prefix, artifact.arrays)
        else:
            self._lay_out_weights(decode_linear(steps[-1], prefix, artifact.arrays))
        self.address = int(self._fields.ctypes.data)

    def leave_sigmoid_to_python(self) -> None:
        """Make the kernel return the raw sum, for platforms where its exponential differs from Python's."""
        self._fields[at.LINK] = 0

    def _point(self, index: int, values: Array) -> None:
        """Keep an array and write its address into the plan."""
        values = np.ascontiguousarray(values)
        self._memory.append(values)
        self._fields[index] = values.ctypes.data

    def _lay_out_scalers(self, steps: Sequence[Mapping[str, Any]], arrays: Mapping[str, Array]) -> None:
        scales = [scale_of(step, str(index), arrays, self.features) for index, step in enumerate(steps)]
        self._fields[at.N_SCALERS] = len(scales)
        self._point(at.OFFSETS, np.array([offset for offset, _ in scales], dtype=np.float64))
        self._point(at.DIVISORS, np.array([divisor for _, divisor in scales], dtype=np.float64))

    def _lay_out_trees(self, spec: Mapping[str, Any], prefix: str, arrays: Mapping[str, Array]) -> None:
        """Sum the masses from the root down, so that a walk only has to find where it ends."""
        columns = tree_arrays(spec, prefix, arrays, len(self.features))
        self.warm = not spec["first_window"]
        if not self.warm:
            return
        n_trees, height, window = spec["n_trees"], spec["height"], spec["window_size"]
        r_mass, l_mass = columns["r_mass"], columns["l_mass"]
        feature = np.full(r_mass.shape, -1, dtype=np.int32)
        threshold = np.zeros(r_mass.shape)
        n_branches = columns["feature"].shape[1]
        feature[:, :n_branches], threshold[:, :n_branches] = columns["feature"], columns["threshold"]
        feature[r_mass < 0.1 * window] = -1  # River's search ends at such a node
        mass = r_mass.copy()
        for depth in range(1, height + 1):
            level = slice(2**depth - 1, 2 ** (depth + 1) - 1)
            above = mass[:, 2 ** (depth - 1) - 1 : 2**depth - 1]
            mass[:, level] = np.repeat(above, 2, axis=1) + (r_mass[:, level] << depth)
        # A missing feature goes to the child that was visited more, left when they are even.
        missing_right = np.zeros(r_mass.shape, dtype=np.int32)
        missing_right[:, :n_branches] = l_mass[:, 1::2] < l_mass[:, 2::2]
        self._fields[at.N_TREES], self._fields[at.N_NODES] = r_mass.shape
        self._point(at.FEATURE, feature)
        self._point(at.THRESHOLD, threshold)
        self._point(at.MASS, mass.astype(np.int64))
        self._point(at.MISSING_RIGHT, missing_right)
        self._point(at.NUMBERS, np.array([n_trees * window * (2 ** (height + 1) - 1)], dtype=np.float64))

    def _lay_out_weights(self, model: RiverModel) -> None:
        """Lay out a linear model's weights, in their own order and by feature."""
        glm = hasattr(model, "_weights")
        weights = dict(model.weights if hasattr(model, "weights") else model.w)
        position = {name: index for index, name in enumerate(self.features)}
        by_feature = np.zeros(len(self.features))
        known = np.zeros(len(self.features), dtype=np.int32)
        order = np.array([position[name] for name in weights], dtype=np.int32)
        values = np.array(list(weights.values()), dtype=np.float64)
        by_feature[order], known[order] = values, 1
        intercept = float(getattr(model, "intercept", 0.0))
        if not np.isfinite(intercept):
            raise ArtifactError(Reason.NOT_FINITE, "the intercept is NaN or infinite")
        self.sigmoid = not is_regression(model)
        self._fields[at.N_WEIGHTS] = len(order)
        self._fields[at.SKIP_UNKNOWN] = not glm
        self._fields[at.LINK] = self.sigmoid
        self._point(at.ORDER, order)
        self._point(at.WEIGHTS, values)
        self._point(at.BY_FEATURE, by_feature)
        self._point(at.KNOWN, known)
        self._point(at.NUMBERS, np.array([intercept]))
