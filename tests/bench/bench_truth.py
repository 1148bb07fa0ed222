"""Late truth from end to end without Flink: what an update costs, how exact it is, what it keeps in state.

``make bench ONLY=truth``. For each kind of score 100,000 genuine transactions and 200 frauds go through the join, in 32
shards and batches of 20, and through the quality stage, flushed every 5,000 items; truth comes after all predictions.
State is a dictionary of bytes, so Flink's own share of the cost comes on top; what RocksDB and the heap keep of an open
transaction is measured apart, on the MiniCluster.
"""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from tests.bench.open_transactions import bytes_per_open_transaction
from tests.bench.publish import publish
from udfs.domain.quality_change import encode_changes, version_key
from udfs.domain.quality_rules import QualityRules
from udfs.domain.quality_stage import refresh_windows
from udfs.domain.roc_auc import RocAuc
from udfs.domain.truth_join import join_truths
from udfs.domain.window import Window

NEGATIVES, POSITIVES = 100_000, 200
OPEN = 200_000
SHARDS, BATCH, FLUSH = 32, 20, 5_000
DAY = 86_400_000
START = 1_522_540_800_000
RULES = QualityRules(DAY, 120 * DAY)
KEY = version_key("cards", "1", "champion")
LIFE = Window.life("event_time")
Floats = np.ndarray[Any, np.dtype[np.float64]]


def calibrated(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Probabilities of rare fraud: nearly all close to zero."""
    return rng.beta(0.5, 200, NEGATIVES), rng.beta(1.0, 30, POSITIVES)


def spread(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Scores all over the scale."""
    return rng.random(NEGATIVES), rng.beta(3, 1.5, POSITIVES)


def half_space_trees(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """A whole number of masses over a fixed maximum: few distinct values, one very common."""
    negatives = np.minimum(rng.poisson(40, NEGATIVES) ** 2, 2500) * (rng.random(NEGATIVES) < 0.7)
    return 1 - negatives / 25_000, 1 - rng.poisson(20, POSITIVES) ** 2 / 25_000


KINDS: list[Callable[[np.random.Generator], tuple[Floats, Floats]]] = [calibrated, spread, half_space_trees]


class Run:
    """The two stages over dictionaries, and the time they took."""

    def __init__(self) -> None:
        self.shards: list[dict[str, bytes]] = [{} for _ in range(SHARDS)]
        self.windows: dict[str, bytes] = {}
        self.join_s = self.quality_s = 0.0
        self.items = 0
        self.life: dict[str, Any] = {}

    def take(self, items: list[dict[str, Any]]) -> None:
        """Send items through both stages."""
        for at in range(0, len(items), FLUSH):
            batches, texts = list(_batches(items[at : at + FLUSH])), []
            begun = time.perf_counter()
            for shard, batch in batches:
                update = join_truths(
                    batch, self.shards[shard], window_ms=DAY, retention_ms=RULES.retention_ms, watermark_ms=START
                )
                texts += encode_changes(update.changes).values()
            joined = time.perf_counter()
            rows = refresh_windows(KEY, texts, self.windows, RULES, watermark_ms=START).rows
            self.quality_s += time.perf_counter() - joined
            self.join_s += joined - begun
            self.life = next(row for row in rows if (row["series"], row["window"]) == ("event_time", "life"))
        self.items += len(items)


def _batches(items: list[dict[str, Any]]) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    shards: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for item in items:
        shards[int(item["transaction_id"]) % SHARDS].append(item)
    for shard, mine in shards.items():
        for at in range(0, len(mine), BATCH):
            yield shard, mine[at : at + BATCH]


def _items(scores: Floats, labels: Floats) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    predictions, truths = [], []
    for number, (score, label) in enumerate(zip(scores.tolist(), labels.tolist(), strict=True)):
        both = {
            "transaction_id": str(number), "event_time_ms": START + number * 8 * DAY // len(scores), "partition": 0,
            "offset": number,
        }  # fmt: skip
        predictions.append(
            both
            | {
                "kind": "prediction",
                "model": "cards",
                "version": "1",
                "role": "champion",
                "score": score,
                "excluded": False,
            }
        )
        told = {
            "label": int(label),
            "revision": 0,
            "intervened": False,
            "truth_time_ms": both["event_time_ms"] + 7 * DAY,
        }
        truths.append(both | told | {"kind": "truth", "customer_id": "c", "terminal_id": None, "ingestion_time_ms": 0})
    return predictions, truths


def _exact(scores: Floats, labels: Floats) -> float:
    auc = RocAuc(limit=10**6)
    auc.update_many(scores, labels)
    return float(auc.get().roc_auc or 0.0)


def main() -> None:
    """Measure and publish ``build/bench/truth.json``."""
    figures: dict[str, float | int] = {}
    runs, errors, exact, bounds, average = [], [0.0], [0.0], [0.0], [0.0]
    for make in KINDS:
        rng = np.random.default_rng(7)
        scores = np.concatenate(make(rng))
        labels = np.repeat([0.0, 1.0], (NEGATIVES, POSITIVES))
        order = rng.permutation(len(scores))
        scores, labels = scores[order], labels[order]
        predictions, truths = _items(scores, labels)
        run = Run()
        run.take(predictions)
        open_bytes = sum(len(key) + len(value) for shard in run.shards for key, value in shard.items())
        run.take(truths)
        runs.append(run)
        true = float(roc_auc_score(labels, scores))
        errors.append(abs(run.life["roc_auc"] - true))
        exact.append(abs(_exact(scores, labels) - true))
        bounds.append(run.life["error_bound"])
        average.append(abs(run.life["average_precision"] - float(average_precision_score(labels, scores))))
        assert errors[-1] <= bounds[-1] + 1e-12, make.__name__
        assert run.life["labelled"] == len(scores)
        figures[f"roc_auc_{make.__name__}"] = run.life["roc_auc"]
        figures[f"bytes_per_window_{make.__name__}"] = max(len(v) for v in run.windows.values())
        figures["bytes_per_open_transaction"] = open_bytes / len(predictions)
    items = sum(run.items for run in runs)
    join_s, quality_s = sum(run.join_s for run in runs), sum(run.quality_s for run in runs)
    with tempfile.TemporaryDirectory(prefix="weir-truth-") as folder:
        figures |= bytes_per_open_transaction(Path(folder), OPEN)
    labelled_bytes = sum(len(key) + len(value) for shard in runs[-1].shards for key, value in shard.items())
    publish(
        "truth",
        {
            "us_per_update": (join_s + quality_s) / items * 1e6,
            "join_us_per_item": join_s / items * 1e6,
            "quality_us_per_item": quality_s / items * 1e6,
            "max_abs_error": max(errors),
            "max_abs_error_exact": max(exact),
            "max_error_bound": max(bounds),
            "max_abs_error_average_precision": max(average),
            "bytes_per_window_largest": max(len(v) for run in runs for v in run.windows.values()),
            "bytes_per_labelled_transaction": labelled_bytes / (NEGATIVES + POSITIVES),
            "negatives": NEGATIVES,
            "positives": POSITIVES,
            **figures,
        },
    )
    assert max(exact) <= 1e-12
    assert max(bounds) < 0.001


if __name__ == "__main__":
    main()
