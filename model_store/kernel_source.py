# ruff: noqa: ANN401 - numba infers the types
"""The kernels' source, in numba's subset of Python; compiled by :mod:`model_store.kernels`.

A plan is one int64 array of sizes and addresses that describes a loaded model; its fields are the constants below. They
stand in this file because numba's cache looks at this file alone to see whether it is stale.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from numba import carray, types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["exponential", "score_linear", "score_linear_row", "score_tree_row", "score_trees"]

# Fields of every plan.
N_FEATURES, N_SCALERS, OFFSETS, DIVISORS, SCRATCH, NUMBERS = 0, 1, 2, 3, 4, 5
# Of half-space trees. NUMBERS: [largest possible score].
N_TREES, N_NODES, FEATURE, THRESHOLD, MASS, MISSING_RIGHT = 6, 7, 8, 9, 10, 11
# Of linear models. NUMBERS: [intercept].
N_WEIGHTS, ORDER, WEIGHTS, BY_FEATURE, KNOWN, SKIP_UNKNOWN, LINK = 6, 7, 8, 9, 10, 11, 12
PLAN_SIZE = 13


@intrinsic
def _pointer(_context: Any, address: Any) -> Any:
    """Turn an address into a pointer."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], cgutils.voidptr_t)

    return types.voidptr(types.intp), codegen


@numba.njit(inline="always")
def _floats(address: Any, size: Any) -> Any:
    return carray(_pointer(address), (size,), np.float64)


@numba.njit(inline="always")
def _longs(address: Any, size: Any) -> Any:
    return carray(_pointer(address), (size,), np.int64)


@numba.njit(inline="always")
def _ints(address: Any, size: Any) -> Any:
    return carray(_pointer(address), (size,), np.int32)


@numba.njit(error_model="numpy")
def _scale(plan: Any, row: Any, scaled: Any) -> Any:
    """Apply the scalers; return how many features are there."""
    n_features = plan[N_FEATURES]
    present = 0
    for j in range(n_features):
        scaled[j] = row[j]
        present += 0 if math.isnan(row[j]) else 1
    offsets = _floats(plan[OFFSETS], plan[N_SCALERS] * n_features)
    divisors = _floats(plan[DIVISORS], plan[N_SCALERS] * n_features)
    for s in range(plan[N_SCALERS]):
        for j in range(n_features):
            divisor = divisors[s * n_features + j]
            # River's safe_div: a divisor of 0 gives 0.0. A missing feature stays missing: its value is never read.
            quotient = (scaled[j] - offsets[s * n_features + j]) / divisor
            scaled[j] = quotient if divisor != 0.0 else 0.0
    return present


@numba.njit(error_model="numpy")
def _tree_score(plan: Any, row: Any) -> Any:
    n_features, n_nodes = plan[N_FEATURES], plan[N_NODES]
    size = plan[N_TREES] * n_nodes
    scaled = _floats(plan[SCRATCH], n_features)
    complete = _scale(plan, row, scaled) == n_features
    feature, threshold = _ints(plan[FEATURE], size), _floats(plan[THRESHOLD], size)
    mass, missing_right = _longs(plan[MASS], size), _ints(plan[MISSING_RIGHT], size)
    total = 0
    for tree in range(plan[N_TREES]):
        base = tree * n_nodes
        node = 0
        split = feature[base]
        while split >= 0:
            if complete or not math.isnan(row[split]):
                # NaN is not less than anything: right, as in River.
                node = 2 * node + (1 if scaled[split] < threshold[base + node] else 2)
            else:
                node = 2 * node + 1 + missing_right[base + node]
            split = feature[base + node]
        # The masses are summed from the root at load; integers, so the order of addition does not matter.
        total += mass[base + node]
    return 1.0 - float(total) / _floats(plan[NUMBERS], 1)[0]


@numba.njit(error_model="numpy")
def _linear_score(plan: Any, row: Any) -> Any:
    n_features, n_weights = plan[N_FEATURES], plan[N_WEIGHTS]
    scaled = _floats(plan[SCRATCH], n_features)
    present = _scale(plan, row, scaled)
    skip = plan[SKIP_UNKNOWN] != 0
    result = 0.0
    # River walks the shorter dictionary, the weights' when they are as many.
    if present < n_weights:
        by_feature, known = _floats(plan[BY_FEATURE], n_features), _ints(plan[KNOWN], n_features)
        for j in range(n_features):
            if not math.isnan(row[j]) and (known[j] or not skip):
                result += scaled[j] * by_feature[j]
    else:
        order, weights = _ints(plan[ORDER], n_weights), _floats(plan[WEIGHTS], n_weights)
        for k in range(n_weights):
            j = order[k]
            if not math.isnan(row[j]):
                result += weights[k] * scaled[j]
            elif not skip:
                result += weights[k] * 0.0
    result += _floats(plan[NUMBERS], 1)[0]
    if plan[LINK] == 0:
        return result
    if result < -30.0:
        return 0.0
    if result > 30.0:
        return 1.0
    return 1.0 / (1.0 + math.exp(-result))


def exponential(value: Any) -> Any:
    """Return the exponential as kernels compute it."""
    return math.exp(value)


def score_tree_row(plan_address: Any, row_address: Any) -> Any:
    """Score one row with half-space trees."""
    plan = _longs(plan_address, PLAN_SIZE)
    return _tree_score(plan, _floats(row_address, plan[N_FEATURES]))


def score_linear_row(plan_address: Any, row_address: Any) -> Any:
    """Score one row with a linear model."""
    plan = _longs(plan_address, PLAN_SIZE)
    return _linear_score(plan, _floats(row_address, plan[N_FEATURES]))


def score_trees(plan_address: Any, rows_address: Any, count: Any, out_address: Any) -> None:
    """Score rows with half-space trees."""
    plan = _longs(plan_address, PLAN_SIZE)
    n_features = plan[N_FEATURES]
    rows, out = _floats(rows_address, count * n_features), _floats(out_address, count)
    for i in range(count):
        out[i] = _tree_score(plan, rows[i * n_features : (i + 1) * n_features])


def score_linear(plan_address: Any, rows_address: Any, count: Any, out_address: Any) -> None:
    """Score rows with a linear model."""
    plan = _longs(plan_address, PLAN_SIZE)
    n_features = plan[N_FEATURES]
    rows, out = _floats(rows_address, count * n_features), _floats(out_address, count)
    for i in range(count):
        out[i] = _linear_score(plan, rows[i * n_features : (i + 1) * n_features])
