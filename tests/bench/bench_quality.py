"""How well River's models do on the handbook's experiment, beside the figures its book reports.

``make bench ONLY=quality ARGS="--data handbook_raw.parquet"``; ``--forests`` takes them in, for many minutes. Every model
is trained in one pass as ``weir train`` does it: predict, learn a label when it is known; then it scores the test week as
it is. The logistic regression goes the whole way of a version trained from the tables: rows, artifact, compiled scorer.
``roc_auc``, ``average_precision`` and ``model`` are its; ``best_*`` are of the model with the highest average precision.
That one is chosen by the week it is tested on, as one reads a table of results: expect a little less of it on another week.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from river import base, forest, linear_model, naive_bayes, optim, preprocessing, tree

from connectors.iceberg.labelled_rows import NEVER, LabelledRows
from connectors.iceberg.training_snapshot import TrainingSnapshot
from jobs.comparison import scores_of
from jobs.progress_bar import progress_bar
from jobs.ranking_figures import ranking_figures
from jobs.training.table_rows import TableRows
from jobs.training.train_artifact import train_artifact
from jobs.training.train_model import train_model
from jobs.training.training_course import Example
from model_store.compiled_scorer import load_scorer
from tests.bench.handbook import FEATURES, TRAIN_MS, Split, data_file, split_of
from tests.bench.publish import publish

Scores = npt.NDArray[np.float64]
BOOK = {
    "book_logistic_regression": (0.871, 0.606),
    "book_random_forest": (0.867, 0.658),
    "book_xgboost": (0.862, 0.639),
    "book_highest": (0.871, 0.687),
}
AIM = (0.85, 0.59)


def logistic(optimizer: optim.base.Optimizer, **options: Any) -> Callable[[], Any]:
    """Return a maker of a logistic regression behind a StandardScaler."""
    return lambda: preprocessing.StandardScaler() | linear_model.LogisticRegression(optimizer=optimizer, **options)


CANDIDATES: dict[str, Callable[[], Any]] = {
    "logistic_sgd_0.003": logistic(optim.SGD(0.003)),
    "logistic_sgd_0.015": logistic(optim.SGD(0.015)),
    "logistic_sgd_0.03": logistic(optim.SGD(0.03)),
    "logistic_momentum_0.0015": logistic(optim.Momentum(0.0015)),
    "logistic_momentum_0.003": logistic(optim.Momentum(0.003)),
    "logistic_amsgrad_0.005": logistic(optim.AMSGrad(0.005)),
    "logistic_adam_0.001": logistic(optim.Adam(0.001)),
    "logistic_adagrad_0.1": logistic(optim.AdaGrad(0.1)),
    "logistic_ftrl_0.1": logistic(optim.FTRLProximal(alpha=0.1)),
    "logistic_weight_5": logistic(optim.SGD(0.01), loss=optim.losses.Log(weight_pos=5)),
    "gaussian_naive_bayes": naive_bayes.GaussianNB,
    "hoeffding_tree": tree.HoeffdingTreeClassifier,
}
FORESTS: dict[str, Callable[[], Any]] = {
    "adaptive_random_forest_10": lambda: forest.ARFClassifier(n_models=10, seed=42),
    "mondrian_forest_10": lambda: forest.AMFClassifier(n_estimators=10, seed=42),
}


def main() -> None:
    """Measure and publish ``build/bench/quality.json``."""
    path, forests = data_file(sys.argv[1:]), "--forests" in sys.argv
    with progress_bar("features", None) as done:
        split = split_of(path, done)
    figures: dict[str, float | int | str] = {"train": len(split.train), "test": len(split.test)}
    found: dict[str, tuple[float, float]] = {}
    for name, make in {**CANDIDATES, **(FORESTS if forests else {})}.items():
        begun = time.perf_counter()
        found[name] = figures_of(candidate_scores(make(), split), split)
        figures |= {f"{name}_roc_auc": found[name][0], f"{name}_average_precision": found[name][1]}
        figures[f"{name}_s"] = time.perf_counter() - begun
    ours = {
        name: figures_of(version_scores(name, split), split) for name in ("logistic-regression", "half-space-trees")
    }
    for name, (roc_auc, precision) in ours.items():
        figures |= {f"{name}_roc_auc": roc_auc, f"{name}_average_precision": precision}
    found |= ours
    best = max(found, key=lambda name: found[name][1])
    for name, (roc_auc, precision) in BOOK.items():
        figures |= {f"{name}_roc_auc": roc_auc, f"{name}_average_precision": precision}
    roc_auc, precision = ours["logistic-regression"]
    publish(
        "quality",
        {
            **figures,
            "best_model": best,
            "best_roc_auc": found[best][0],
            "best_average_precision": found[best][1],
            "model": "logistic-regression",
            "roc_auc": roc_auc,
            "average_precision": precision,
        },
    )
    assert roc_auc >= AIM[0], f"ROC AUC {roc_auc:.4f} is below {AIM[0]}"
    assert precision >= AIM[1], f"average precision {precision:.4f} is below {AIM[1]}"


def candidate_scores(model: Any, split: Split) -> Scores:
    """Train a River model, and score the test week with River."""
    trained = train_model(Whole(model), split.train, FEATURES.features, supervised=True).model
    return np.array([trained.predict_proba_one(each.vector)[True] for each in split.test])


class Whole(base.Classifier):
    """A classifier that says 0 for a class it has not seen yet; River's trees leave it out."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def learn_one(self, vector: dict[str, float], label: bool) -> None:
        self.model.learn_one(vector, label)

    def predict_proba_one(self, vector: dict[str, float]) -> dict[bool, float]:
        return {True: 0.0, **self.model.predict_proba_one(vector)}


def version_scores(algorithm: str, split: Split) -> Scores:
    """Train a version from rows as the tables give them, and score the test week as the job would."""
    rows = TableRows.of(TrainingSnapshot("bench", {}), rows_of(split.train), TRAIN_MS, None)
    artifact = train_artifact(rows, FEATURES, algorithm=algorithm).artifact
    return scores_of(load_scorer(artifact), split.test)


def rows_of(examples: list[Example]) -> LabelledRows:
    """Return examples as they would be read from the tables."""
    return LabelledRows(
        FEATURES.features,
        np.array([each.transaction_id for each in examples], dtype=np.str_),
        np.array([each.event_time_ms for each in examples]),
        np.array([[each.vector[name] for name in FEATURES.features] for each in examples]),
        np.array([-1 if each.label is None else each.label for each in examples]),
        np.array([NEVER if each.truth_time_ms is None else each.truth_time_ms for each in examples]),
    )


def figures_of(scores: Scores, split: Split) -> tuple[float, float]:
    """Return ROC AUC and average precision on the test week."""
    roc_auc, precision = ranking_figures(scores, split.labels)
    assert roc_auc is not None
    assert precision is not None
    return roc_auc, precision


if __name__ == "__main__":
    main()
