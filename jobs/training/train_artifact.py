"""Trains an artifact on a dataset, anew or from where a parent stopped; no registry, no clock, no random source.

The one recipe of ``weir train`` and, in a fresh process from recorded code, of ``weir reproduce``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from connectors.data.dataset import Dataset
from jobs.training.algorithms import algorithm_of
from jobs.training.train_model import TrainedModel, train_model
from jobs.training.training_examples import examples_of
from model_store.artifact import Artifact
from model_store.artifact import digest as digest_of
from model_store.export import export_artifact
from model_store.rebuild import rebuild
from udfs.domain.errors import SettingsError
from udfs.domain.feature_set import FeatureSet

__all__ = ["TrainedArtifact", "train_artifact"]

_OF_THE_RUN = ("seed", "alert_rate")
"""Parameters that are a run's own; the others are the algorithm's and a child has its parent's."""


@dataclass(frozen=True, slots=True)
class TrainedArtifact:
    """An artifact and how it came about.

    Parameters
    ----------
    artifact
        Its bytes.
    trained
        The model and its figures.
    trained_until_ms
        Event time of the last transaction it or a parent of it learned from.
    parameters
        Hyperparameters, seed and alert rate.
    data
        Which rows it learned from, enough to open them again.
    """

    artifact: bytes
    trained: TrainedModel
    trained_until_ms: int
    parameters: dict[str, Any]
    data: dict[str, Any]


def train_artifact(
    dataset: Dataset,
    features: FeatureSet,
    *,
    algorithm: str,
    first_row: int = 0,
    seed: int = 42,
    alert_rate: float = 0.001,
    parent: bytes | None = None,
    progress: Callable[[int], None] | None = None,
) -> TrainedArtifact:
    """Train and export; the same arguments give the same bytes.

    Parameters
    ----------
    dataset
        What to train on; rows before the first one learned from only fill the windows.
    features
        The feature set.
    algorithm
        A name out of :data:`jobs.training.algorithms.ALGORITHMS`.
    first_row
        Index of the first row of the dataset to learn from.
    seed
        Of the algorithm; a parent's random choices are made already.
    alert_rate
        Share of transactions the suggested threshold lets raise an alert.
    parent
        The artifact to go on from. Rows up to the last one it learned from only fill the windows: nothing is learned
        twice.
    progress
        Called with the number of transactions trained on.

    Raises
    ------
    SettingsError
        For an unknown algorithm, a parent of another kind or feature set, and when there is nothing to learn from.
    ArtifactError
        If the parent does not load, or the model cannot be exported.
    """
    kind = algorithm_of(algorithm)
    hyperparameters, learned_ms = dict(kind.parameters), 0
    model = kind.make(seed) if parent is None else rebuild(parent)
    if parent is not None:
        header = _checked_header(parent, features, algorithm)
        recorded = header["training"]["parameters"]
        hyperparameters = {name: value for name, value in recorded.items() if name not in _OF_THE_RUN}
        learned_ms = header["trained_until_ms"]
        first_row = max(first_row, int(np.searchsorted(dataset.columns.event_time_ms, learned_ms, side="right")))
        if first_row >= len(dataset):
            msg = (
                f"The parent has learned from events up to {learned_ms} ms, and the data ends at "
                f"{dataset.last_event_ms} ms; give data that goes on where it stopped."
            )
            raise SettingsError(msg)
    trained = train_model(
        model,
        examples_of(dataset, features, first_row),
        features.features,
        supervised=kind.supervised,
        alert_rate=alert_rate,
        progress=progress,
    )
    trained_until_ms = max(trained.trained_until_ms, learned_ms)
    parameters = {**hyperparameters, "seed": seed, "alert_rate": alert_rate}
    data = {**dataset.part(first_row).describe(), "history_first_row": dataset.first_row}
    artifact = export_artifact(
        trained.model,
        features,
        seed=seed,
        trained_until_ms=trained_until_ms,
        parent=None if parent is None else digest_of(parent),
        probes=trained.probes,
        # Without the commit: the same training gives the same digest, which is how a run is shown to be repeatable.
        training={"algorithm": algorithm, "parameters": parameters, "data": data},
    )
    return TrainedArtifact(artifact, trained, trained_until_ms, parameters, data)


def _checked_header(parent: bytes, features: FeatureSet, algorithm: str) -> dict[str, Any]:
    header = Artifact.decode(parent).header
    theirs = header["training"].get("algorithm")
    if theirs != algorithm:
        msg = f"The parent is a {theirs}, a version that continues it cannot be a {algorithm}; leave --algorithm out."
        raise SettingsError(msg)
    if header["feature_set"]["hash"] != features.hash:
        theirs = header["feature_set"]["label"]
        msg = f"The parent knows the features {theirs}, not {features.label}; train on those or without a parent."
        raise SettingsError(msg)
    return header
