"""The handbook's stream, a feature set added in mid-stream, a TaskManager killed: ``weir parity`` afterwards.

``make bench ONLY=parity ARGS="--rows 100000"``; two months are about 580,000 rows. Ends with 1 unless every
sampled inference has the features that a backfill gives, and both versions scored; with ``--order arrival`` those may
differ that an earlier event came after, and their share is told.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson

from connectors.data.dataset import Dataset, open_dataset
from jobs.features.feature_changes import add_features
from jobs.training.algorithms import algorithm_of
from jobs.training.train_model import train_model
from jobs.training.training_examples import examples_of
from model_store.export import export_artifact
from tests.bench.handbook import data_file
from tests.bench.publish import publish
from tests.e2e.local import Local
from tests.e2e.models import trained
from tests.e2e.scoring import Scoring, wait_for
from udfs.domain.feature_set import FeatureSet

ADDED = (
    "SPENT_2D=customer.sum(amount) 2d", "DEAREST_1D=customer.max(amount) 1d", "BUSY_12H=terminal.count 12h",
    "RISK_1D=terminal.fraud_rate 1d delay 7d", "LOG_AMOUNT=log(amount)", "HOUR=hour",
)  # fmt: skip
TRAINING_ROWS = 3_000


def version_on(features: FeatureSet, dataset: Dataset) -> bytes:
    """Return an artifact of half-space trees trained on the first rows: what it says does not matter here."""
    examples = examples_of(dataset.part(0, TRAINING_ROWS), features)
    done = train_model(algorithm_of("half-space-trees").make(1), examples, features.features, supervised=False)
    return export_artifact(done.model, features, seed=1, probes=done.probes)


def run(scoring: Scoring, dataset: Dataset, rate: float, sample: int) -> dict[str, Any]:
    """Stream the data; a third of the way add the set and a version on it, at two thirds kill; then compare."""
    scoring.deploy(trained(1), "1")
    scoring.submit()
    scoring.wait_for_event("activated", "1")
    begun = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(scoring.produce, dataset, rate, close=True)
        wait_for("a third is sent", lambda: sending.done() or scoring.sent() > len(dataset) / 3, 3_600)
        added = add_features(scoring.store, "midstream", based_on="handbook", features=ADDED, without=[])
        scoring.deploy(version_on(added, dataset), "2")
        scoring.wait_for_event("activated", "2")
        wait_for("two thirds are sent", lambda: sending.done() or scoring.sent() > len(dataset) * 2 / 3, 3_600)
        scoring.kill(scoring.workers()[-1])
        sending.result()
    total = scoring.wait_for_sum(scoring.sent(), timeout_s=1_800)
    seconds = time.monotonic() - begun
    scored = Counter(each["version"] for each in scoring.messages("inferences"))
    uptakes = [each["time_ms"] for each in scoring.model_events("feature_set_taken_up")]
    done = scoring.local.weir(
        "parity", "--sample", str(sample), "--json", timeout_s=3_600, model=scoring.model, order=scoring.settings.order
    )
    if not done.stdout:
        print(done.stderr, file=sys.stderr)
        raise SystemExit(1)
    said = orjson.loads(done.stdout)
    return {
        "transactions": total.transactions,
        "missing_answers": total.missing,
        "doubled_answers": total.doubled,
        "scored_by_1": scored["1"],
        "scored_by_2": scored["2"],
        "sets_taken_up": len(uptakes),
        "restarts": scoring.restarts(),
        "seconds": round(seconds, 1),
        **{name: said[name] for name in ("compared", "matched", "arrival", "mismatched", "missing")},
        "share_that_differs_by_arrival": round(said["arrival"] / max(said["compared"], 1), 6),
        "largest_difference": max(said["largest"].values(), default=0.0),
        "features_compared": len(said["largest"]),
        "examples": orjson.dumps(said["examples"]).decode(),
    }


def main() -> None:
    """Run on a stack of its own and publish the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="transactions from the file's beginning")
    parser.add_argument("--rate", type=float, default=2_000, help="transactions a second")
    parser.add_argument("--sample", type=int, default=5_000, help="inferences to compute again")
    parser.add_argument("--order", choices=("event_time", "arrival"), default="event_time", help="the job's")
    parser.add_argument("--data", help="the handbook's file")
    asked = parser.parse_args()
    dataset = open_dataset(data_file(sys.argv)).part(0, asked.rows)
    with tempfile.TemporaryDirectory(prefix="weir-parity-") as folder:
        local = Local(Path(folder) / "home")
        local.weir_json("up", timeout_s=600)
        try:
            scoring = Scoring(local, "parity", order=asked.order)
            figures = run(scoring, dataset, asked.rate, asked.sample)
            scoring.stop()
        finally:
            local.stack.down(purge=True)
    publish("parity" if asked.order == "event_time" else "parity_arrival", figures)
    wrong = figures["missing_answers"] + figures["mismatched"] + figures["missing"]
    whole = not wrong and not (figures["arrival"] and asked.order == "event_time")
    raise SystemExit(0 if whole and figures["compared"] and figures["scored_by_1"] and figures["scored_by_2"] else 1)


if __name__ == "__main__":
    main()
