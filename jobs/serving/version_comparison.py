"""How the scores of several versions differ on the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

__all__ = ["compare_versions"]


def compare_versions(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Compare every pair of results on the rows that both scored.

    Parameters
    ----------
    results
        What :meth:`jobs.serving.predictor.Predictor.predict` returned.

    Returns
    -------
    list of dict
        ``versions`` (the pair), ``rows`` (scored by both), ``mean_difference`` (second minus first), ``largest_difference``
        (by size) and ``at_row``, where that is; the last three are None without a row.

    Examples
    --------
    >>> def result(version, *scores):
    ...     return {"version": version, "scores": [{"score": score} for score in scores]}
    >>> compare_versions([result("1", 0.5, None, 0.25), result("2", 0.75, 0.5, 0.25)])
    [{'versions': ['1', '2'], 'rows': 2, 'mean_difference': 0.125, 'largest_difference': 0.25, 'at_row': 0}]
    """
    return [_compared(first, second) for first, second in combinations(results, 2)]


def _compared(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    pairs = zip(first["scores"], second["scores"], strict=True)
    differences = {
        row: b["score"] - a["score"]
        for row, (a, b) in enumerate(pairs)
        if a["score"] is not None and b["score"] is not None
    }
    at_row = max(differences, key=lambda row: abs(differences[row]), default=None)
    return {
        "versions": [first["version"], second["version"]],
        "rows": len(differences),
        "mean_difference": sum(differences.values()) / len(differences) if differences else None,
        "largest_difference": None if at_row is None else differences[at_row],
        "at_row": at_row,
    }
