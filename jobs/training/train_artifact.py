"""Trains an artifact on a dataset, anew or from where a parent stopped; no registry, no clock, no random source.

The one recipe of ``weir train`` and, in a fresh process from recorded code, of ``weir reproduce``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connectors.data.dataset import Dataset
from jobs.training.algorithms import algorithm_of
from jobs.training.dataset_rows import DatasetRows
from jobs.training.train_model import TrainedModel, train_model
from jobs.training.training_data import TrainingData
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
    source: Dataset | TrainingData,
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
    source
        What to train on; a dataset's rows before the first one learned from only fill the windows.
    features
        The feature set.
    algorithm
        A name out of :data:`jobs.training.algorithms.ALGORITHMS`.
    first_row
        Index of the first row of a dataset to learn from.
    seed
        Of the algorithm; a parent's random choices are made already.
    alert_rate
        Share of transactions the suggested threshold lets raise an alert.
    parent
        The artifact to go on from. What it has learned already only fills the windows: nothing is learned twice.
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
    data = DatasetRows(source, first_row) if isinstance(source, Dataset) else source
    data = data.for_kind(supervised=kind.supervised)
    hyperparameters, learned_ms = dict(kind.parameters), 0
    model = kind.make(seed) if parent is None else rebuild(parent)
    if parent is not None:
        header = _checked_header(parent, features, algorithm)
        recorded = header["training"]["parameters"]
        hyperparameters = {name: value for name, value in recorded.items() if name not in _OF_THE_RUN}
        learned_ms = header["trained_until_ms"]
        data = _unlearned(data, header)
    trained = train_model(
        model,
        data.examples(features),
        features.features,
        supervised=kind.supervised,
        alert_rate=alert_rate,
        progress=progress,
    )
    trained_until_ms = max(trained.trained_until_ms, learned_ms)
    parameters = {**hyperparameters, "seed": seed, "alert_rate": alert_rate}
    described = data.describe()
    artifact = export_artifact(
        trained.model,
        features,
        seed=seed,
        trained_until_ms=trained_until_ms,
        parent=None if parent is None else digest_of(parent),
        probes=trained.probes,
        # Without the commit: the same training gives the same digest, which is how a run is shown to be repeatable.
        training={"algorithm": algorithm, "parameters": parameters, "data": described},
    )
    return TrainedArtifact(artifact, trained, trained_until_ms, parameters, described)


def _unlearned(data: TrainingData, header: dict[str, Any]) -> TrainingData:
    new = data.after(header)
    if not len(new):
        msg = (
            f"The parent has learned from events up to {header['trained_until_ms']} ms, and the data ends at "
            f"{data.last_event_ms} ms; give data that goes on where it stopped."
        )
        raise SettingsError(msg)
    return new


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
