"""Bare River and the compiled scorer in one run: ``python tests/bench/bench_models.py`` or ``make bench ONLY=models``.

Half-space trees (10 trees, height 8) behind a MinMaxScaler, and a logistic regression behind a StandardScaler, on 30
features; and ``encoded``: that regression with two strings more, one-hot encoded (200 and 30 categories). River gets the
dictionary it wants. Ours is measured from the same dictionary (``one``: a vector to its score; ``batch_from_dicts``: a list
of 256 to their scores) and from a matrix that is already there (``batch``). The rounds of all alternate and the fastest of
each counts, so that another process on the machine disturbs no ratio for long. Scores are compared bit for bit before
anything is timed.
"""

from __future__ import annotations

import base64
import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from river import anomaly, compose, linear_model, preprocessing

from model_store.admission import admit
from model_store.artifact import digest
from model_store.compiled_scorer import load_scorer, warm_up
from model_store.export import export_artifact
from model_store.rebuild import rebuild
from model_store.river_score import river_score
from udfs.domain.feature_set import FEATURE_SETS, FeatureSet

BATCH = 256
LEARNED = 5_000
ROUNDS = 15
FEATURE_SET = FEATURE_SETS["creditcard"]
STRINGS = {"mcc": 200, "country": 30}
"""Further string features, and how many categories they have."""
WITH_STRINGS = FeatureSet(
    "strings", 1, (*FEATURE_SET.features, *STRINGS), (*FEATURE_SET.features, *STRINGS), strings=tuple(STRINGS)
)
RESULT = Path(__file__).parents[2] / "build" / "bench" / "models.json"


def vectors(count: int, seed: int, *, strings: bool = False) -> list[dict[str, Any]]:
    """Draw vectors like the credit card set's: time, 28 components of falling spread, a skewed amount; strings if asked."""
    rng = random.Random(seed)
    drawn: list[dict[str, Any]] = [
        {
            name: float(number)
            if name == "Time"
            else rng.expovariate(0.01)
            if name == "Amount"
            else rng.gauss(0, 2 / at)
            for at, name in enumerate(FEATURE_SET.features, start=1)
        }
        for number in range(count)
    ]
    if strings:
        for vector in drawn:
            vector |= {name: f"{min(int(rng.expovariate(8 / size)), size)}" for name, size in STRINGS.items()}
    return drawn


def trained_models() -> dict[str, Any]:
    """Train the pipelines on the same events."""
    trees = preprocessing.MinMaxScaler() | anomaly.HalfSpaceTrees(n_trees=10, height=8, seed=42)
    linear = preprocessing.StandardScaler() | linear_model.LogisticRegression()
    numbers, texts = compose.SelectType(float), compose.SelectType(str)
    encoded = (
        (numbers | preprocessing.StandardScaler()) + (texts | preprocessing.OneHotEncoder())
    ) | linear_model.LogisticRegression()
    rng = random.Random(2)
    for vector in vectors(LEARNED, seed=1, strings=True):
        bare = {name: vector[name] for name in FEATURE_SET.features}
        fraud = rng.random() < 0.01
        trees.learn_one(bare)
        linear.learn_one(bare, fraud)
        encoded.learn_one(vector, fraud)
    return {"trees": trees, "linear": linear, "encoded": encoded}


def fastest_us(tasks: dict[str, tuple[int, Callable[[], object]]]) -> dict[str, float]:
    """Return the microseconds per score of each task's fastest round."""
    best = dict.fromkeys(tasks, float("inf"))
    for _ in range(ROUNDS):
        for name, (scores, run) in tasks.items():
            start = time.perf_counter()
            run()
            best[name] = min(best[name], (time.perf_counter() - start) / scores * 1e6)
    return best


def measure(model: Any, feature_set: FeatureSet) -> dict[str, float]:
    """Compare one model with its artifact."""
    data = export_artifact(model, feature_set, seed=42)
    scorer, xs = load_scorer(data), vectors(BATCH, seed=3, strings=bool(feature_set.strings))
    matrix = scorer.matrix(xs)
    wanted = [river_score(model, x, feature_set.features) for x in xs]
    assert scorer.score(matrix).tolist() == wanted
    assert [scorer.score_one(x) for x in xs] == wanted
    bare = model.score_one if hasattr(model[-1], "score_one") else model.predict_proba_one
    admitted = {feature_set.label: feature_set.hash}
    times = fastest_us(
        {
            "river": (BATCH, lambda: [bare(x) for x in xs]),
            "one": (BATCH * 10, lambda: [scorer.score_one(x) for _ in range(10) for x in xs]),
            "batch": (BATCH * 100, lambda: [scorer.score(matrix) for _ in range(100)]),
            "batch_from_dicts": (BATCH * 20, lambda: [scorer.score(scorer.matrix(xs)) for _ in range(20)]),
            "load": (1, lambda: load_scorer(data)),
            "admit": (1, lambda: admit(data, digest(data), feature_sets=admitted)),
            "rebuild": (1, lambda: rebuild(data)),
        }
    )
    return {
        "river_us": times["river"],
        "one_us": times["one"],
        "batch_us": times["batch"],
        "batch_from_dicts_us": times["batch_from_dicts"],
        "one_ratio": times["river"] / times["one"],
        "batch_ratio": times["river"] / times["batch"],
        "batch_from_dicts_ratio": times["river"] / times["batch_from_dicts"],
        "load_ms": times["load"] / 1000,
        "admit_ms": times["admit"] / 1000,
        "rebuild_ms": times["rebuild"] / 1000,
        "artifact_bytes": len(data),
        "broadcast_bytes": len(base64.b64encode(data)),
        "broadcast_state_bytes": len(digest(data)) + len(data),
        "recorded_cost_us": scorer.header["cost_us"],
    }


def run() -> dict[str, float]:
    """Measure, write ``build/bench/models.json`` and print the table."""
    start = time.perf_counter()
    warm_up()
    figures: dict[str, float] = {"compile_s": time.perf_counter() - start, "features": len(FEATURE_SET.features)}
    for name, model in trained_models().items():
        prefix = "" if name == "trees" else f"{name}_"
        feature_set = WITH_STRINGS if name == "encoded" else FEATURE_SET
        figures |= {prefix + key: value for key, value in measure(model, feature_set).items()}
    figures = {name: round(value, 3) for name, value in figures.items()}
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(figures, indent=1) + "\n")
    width = max(map(len, figures))
    print(*(f"{name:<{width}}  {value:>12,.3f}" for name, value in figures.items()), sep="\n")
    return figures


def test_the_compiled_scorer_is_much_faster_than_river() -> None:
    figures = run()
    assert figures["one_ratio"] >= 20
    assert figures["batch_ratio"] >= 100


if __name__ == "__main__":
    run()
