"""The cost of a score, computed from a model's size.

A measured time would make the same model have another digest each time it is exported, and the gate reads no clock. So
the cost is a count of the work, in microseconds of the machine on which the constants were fitted (two cores at about
2.5 GHz, ``tests/bench/bench_models.py``). It is a limit on size, not a promise of speed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from model_store.encoder_state import UNION

__all__ = ["cost_us"]

_CALL_US = 0.5
_FEATURE_US = 0.003
_NODE_US = 0.006
_ENCODED_US = 0.4
"""Of a model with encoded strings: it is scored in plain Python."""


def cost_us(features: Sequence[str], steps: Sequence[Mapping[str, Any]]) -> float:
    """Return the microseconds one score takes in the worst case: every tree walked to its leaf.

    Examples
    --------
    >>> cost_us(["a", "b"], [{"type": "MinMaxScaler"}, {"type": "HalfSpaceTrees", "n_trees": 10, "height": 8}])
    1.052
    """
    last = steps[-1]
    if steps[0]["type"] == UNION:
        return round(_CALL_US + _ENCODED_US * len(features), 3)
    work = _FEATURE_US * len(features) * len(steps)
    if last["type"] == "HalfSpaceTrees":
        work += _NODE_US * last["n_trees"] * (last["height"] + 1)
    return round(_CALL_US + work, 3)
