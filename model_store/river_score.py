"""The one definition of a River model's score, used to record probes, to verify and to test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from river import anomaly, base, compose

from model_store.river_parts import RiverModel

__all__ = ["river_score"]


def river_score(model: RiverModel, vector: Mapping[str, Any], features: Iterable[str]) -> float:
    """Return the score a River model gives to a vector.

    An anomaly detector's ``score_one``, a classifier's ``predict_proba_one`` of True, a regressor's ``predict_one``.
    River sums in the order of the dictionary it is given, so the order is part of the score: the vector is laid out in
    the order of the feature set first, whatever order a JSON object or a database had it in.

    Parameters
    ----------
    model
        A River model or pipeline.
    vector
        Numbers and strings by feature name; missing names stay missing, unknown names are left out.
    features
        The feature set's names in order (``header["feature_set"]["features"]``).
    """
    present = ((name, vector[name]) for name in features if name in vector)
    ordered = {name: value if isinstance(value, str) else float(value) for name, value in present}
    last = list(model.steps.values())[-1] if isinstance(model, compose.Pipeline) else model
    if isinstance(last, anomaly.base.AnomalyDetector):
        return float(model.score_one(ordered))
    if isinstance(last, base.Classifier):
        return float(model.predict_proba_one(ordered)[True])
    return float(model.predict_one(ordered))
