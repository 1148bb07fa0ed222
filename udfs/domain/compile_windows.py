"""Writes the straight-line functions that compute window features from the edges of their windows.

Every transaction passes here once per stage: a loop over definitions with a
branch for each aggregate costs more than what it computes. The functions are made of numbers and positions alone; names of
features enter as values, never as source.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

from udfs.domain.event_chunk import FRACTION_BITS, MASK_128

__all__ = ["compile_windows"]

SIGN_128 = 1 << 127
ALL_128 = 1 << 128
ONE = float(1 << FRACTION_BITS)


Compiled = Callable[..., dict[str, float]]


def compile_windows(offsets: Sequence[int], outputs: Sequence[tuple[str, str, int, int]]) -> tuple[Compiled, Compiled]:
    """Return ``of_columns(history, time_ms, other)`` and ``of_edges(edges, history, time_ms, other)``.

    Parameters
    ----------
    offsets
        Milliseconds from a transaction back to each edge.
    outputs
        Name, aggregate, index of the edge where the window starts, of the edge where it ends.

    Notes
    -----
    The first is for a history that is one chunk and looks the edges up in its columns; the second is given count and sum
    before each edge. What needs more than these is ``other(index, history, time_ms, count)``; for a share of frauds the
    first asks only where a truth was told.
    """
    summed = sorted({edge for _, aggregate, *edges in outputs if aggregate in ("sum", "mean") for edge in edges})
    columns = [" times, first = history.times, history.first"]
    columns += [f" e{index} = bisect_right(times, time_ms - {offset}, first)" for index, offset in enumerate(offsets)]
    columns += [" sums = history.sums"] if summed else []
    columns += [f' s{edge} = from_bytes(sums[16 * e{edge} : 16 * e{edge} + 16], "little")' for edge in summed]
    edges = [f" {''.join(f'(e{index}, s{index}), ' for index in range(len(offsets)))} = edges"] if offsets else []
    names = tuple(name for name, *_ in outputs)
    known: dict[str, Any] = {"bisect_right": bisect_right, "from_bytes": int.from_bytes, "names": names}
    source = ["def of_columns(history, time_ms, other):", *columns, *_dictionary(outputs, small=True)]
    source += ["def of_edges(edges, history, time_ms, other):", *edges, *_dictionary(outputs, small=False)]
    exec("\n".join(source), known)  # noqa: S102 - see the module's docstring
    return known["of_columns"], known["of_edges"]


def _dictionary(outputs: Sequence[tuple[str, str, int, int]], *, small: bool) -> list[str]:
    terms = [f"  names[{index}]: {_term(index, *output[1:], small=small)}," for index, output in enumerate(outputs)]
    return [" return {", *terms, " }"]


def _term(index: int, aggregate: str, start: int, end: int, *, small: bool) -> str:
    count = f"e{end} - e{start}"
    total = f"(d if (d := s{end} - s{start} & {MASK_128}) < {SIGN_128} else d - {ALL_128})"
    other = f"other({index}, history, time_ms, {count})"
    if aggregate == "count":
        return f"float({count})"
    if aggregate == "mean":
        return f"{total} / (n << {FRACTION_BITS}) if (n := {count}) else 0.0"
    if aggregate == "sum":
        return f"{total} / {ONE!r}"
    if aggregate == "fraud_rate" and small:
        return f"0.0 if history.intervals is None else {other}"
    return other
