"""Versions for tests: trained as ``weir train`` trains them, before the stream's first day, without MLflow."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from connectors.data.dataset import Dataset, open_dataset
from connectors.data.generator import DEFAULT_START_MS
from jobs.training.algorithms import algorithm_of
from jobs.training.train_model import train_model
from jobs.training.training_examples import examples_of
from model_store.artifact import Artifact
from model_store.export import export_artifact
from udfs.domain.feature_set import FEATURE_SETS

DAYS = 60
HANDBOOK = FEATURE_SETS["handbook"]


def stream(rows: int, seed: int = 42, first_id: str = "", days: int = DAYS) -> Dataset:
    """Return generated transactions with truths, in event order; ``first_id`` keeps two streams' ids apart."""
    made = open_dataset("generator", rows=rows, seed=seed, days=days)
    ids = np.array([f"{first_id}{each}" for each in made.columns.transaction_id.tolist()], dtype=object)
    return replace(made, columns=replace(made.columns, transaction_id=ids))


def without_truths(dataset: Dataset) -> Dataset:
    """Return the same transactions with nobody to say what they were."""
    return replace(dataset, columns=replace(dataset.columns, label=None))


def history(seed: int, rows: int = 1_500) -> Dataset:
    """Return what a version is trained on: sixty days that end before the stream begins."""
    start_ms = DEFAULT_START_MS - (DAYS + 30) * 86_400_000
    return open_dataset("generator", rows=rows, seed=1_000 + seed, days=DAYS, start_ms=start_ms)


@cache
def trained(seed: int, rows: int = 1_500) -> bytes:
    """Return the artifact of half-space trees trained on the sixty days before the stream."""
    model = algorithm_of("half-space-trees").make(seed)
    done = train_model(model, examples_of(history(seed, rows), HANDBOOK), HANDBOOK.features, supervised=False)
    return export_artifact(done.model, HANDBOOK, seed=seed, trained_until_ms=done.trained_until_ms, probes=done.probes)


def poisoned(artifact: bytes) -> bytes:
    """Return an artifact that is whole and loads, whose trees do not score as its probes say."""
    decoded = Artifact.decode(artifact)
    arrays = {**decoded.arrays, "probes.scores": decoded.arrays["probes.scores"] + 0.125}
    return Artifact(decoded.header, arrays).encode()
