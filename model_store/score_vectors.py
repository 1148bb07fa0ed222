"""The one rule of what a model gets and when it does not score: the stream's and the API's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from model_store.scorer import Scorer

__all__ = ["score_vectors", "vector_of"]

_FLOAT = {float}


def vector_of(
    names: Sequence[str], features: Mapping[str, Any], fields: Mapping[str, Any], strings: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the numbers among the named values, and those that are to be strings: computed ones first, then fields.

    Examples
    --------
    >>> vector_of(["a", "b", "c"], {"a": 1}, {"a": 2.0, "b": "text"})
    {'a': 1.0}
    >>> vector_of(["a", "b"], {}, {"a": 2.0, "b": "text"}, strings=["b"])
    {'a': 2.0, 'b': 'text'}
    """
    named = {**fields, **features}
    try:
        picked = [named[name] for name in names]
    except KeyError:
        picked = []
    if picked and set(map(type, picked)) == _FLOAT:  # the stages' own numbers always are
        return dict(zip(names, picked, strict=True))
    values: dict[str, Any] = {}
    for name in names:
        value = named.get(name)
        if name in strings:
            if isinstance(value, str):
                values[name] = value
        elif isinstance(value, int | float):
            values[name] = float(value)
    return values


def score_vectors(
    scorer: Scorer | None, names: Sequence[str], vectors: Sequence[Mapping[str, Any]]
) -> list[float | None]:
    """Score vectors that :func:`vector_of` made; None where one lacks a name (``missing_feature``), or without scorer.

    A compiled scorer would score a vector with a gap as River does; a score that nobody meant is not given.
    """
    scores: list[float | None] = [None] * len(vectors)
    whole = [index for index, vector in enumerate(vectors) if len(vector) == len(names)] if scorer else []
    if scorer is not None and whole:
        matrix = scorer.matrix([vectors[index] for index in whole])
        for index, score in zip(whole, scorer.score(matrix).tolist(), strict=True):
            scores[index] = score
    return scores
