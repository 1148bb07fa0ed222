"""Compiled loops over a model's numbers: the only part that must be fast.

They do, operation by operation, what River does, so every result has River's bits: fast-math is off, nothing is fused
and nothing is summed in another order.

Kernels take addresses, not arrays: a numba call that takes an array registers it with Python (``PyGILState_Ensure``
when it lets go), which costs time and can hang when two Python operators share a Flink task. The caller keeps the
memory alive and has checked every size and index. Kernels hold the GIL throughout, so a scorer's scratch row is theirs
alone.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba

from model_store import kernel_source as source

__all__ = ["Kernels", "kernels"]


@dataclass(frozen=True, slots=True)
class Kernels:
    """The compiled functions.

    Parameters
    ----------
    score_trees, score_linear
        ``(plan, rows, count, out) -> None``: addresses of the plan, of ``count`` rows and of as many results.
    score_tree_row, score_linear_row
        ``(plan, row) -> float``: one row, without an array for the result.
    exp_is_pythons
        Whether the compiled exponential gave ``math.exp``'s bits in a sample; if not, the sigmoid is left to Python.
    """

    score_trees: Callable[[int, int, int, int], None]
    score_linear: Callable[[int, int, int, int], None]
    score_tree_row: Callable[[int, int], float]
    score_linear_row: Callable[[int, int], float]
    exp_is_pythons: bool


@functools.cache
def kernels() -> Kernels:
    """Compile the kernels once per process (1 to 2 s; 0.2 s from numba's cache).

    The cache is where :class:`~model_store.kernel_cache.KernelCache` says. Compiled kernels do not depend on a model, so a
    swap never compiles. Call it in ``open``, before the first event.
    """
    row, batch = "float64(intp, intp)", "void(intp, intp, intp, intp)"
    exp = _compile(source.exponential, "float64(float64)")
    sample = [step / 64.0 for step in range(-30 * 64, 30 * 64 + 1)]
    return Kernels(
        score_trees=_compile(source.score_trees, batch),
        score_linear=_compile(source.score_linear, batch),
        score_tree_row=_compile(source.score_tree_row, row),
        score_linear_row=_compile(source.score_linear_row, row),
        exp_is_pythons=all(exp(value) == math.exp(value) for value in sample),
    )


def _compile(function: Callable[..., Any], signature: str) -> Callable[..., Any]:
    """Compile for one signature, through numba's cache where there can be one.

    Code that came in a zip, or a folder nobody may write to, has no place for a cache: then it is compiled anew.
    """
    options = {"error_model": "numpy", "fastmath": False, "nogil": False}
    try:
        return numba.njit(signature, cache=True, **options)(function)
    except Exception:  # also what a damaged cache makes pickle raise; a real fault comes again below
        return numba.njit(signature, cache=False, **options)(function)
