"""From a dataset to a registered version: train, export, store the bytes, record the run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from connectors.data.dataset import Dataset
from connectors.postgres.metadata_store import MetadataStore
from jobs.bundle import build_bundle
from jobs.code_record import code_record
from jobs.features.feature_rows import feature_set_named
from jobs.training.train_artifact import TrainedArtifact, train_artifact
from jobs.training.train_model import TrainedModel
from jobs.training.training_data import TrainingData
from model_store.artifact import Artifact
from model_store.registry import Registry
from model_store.training_record import TrainingRecord
from udfs.domain.errors import SettingsError
from udfs.domain.feature_set import FeatureSet

__all__ = ["TrainedVersion", "train_version"]

DEFAULT_ALGORITHM = "half-space-trees"


@dataclass(frozen=True, slots=True)
class TrainedVersion:
    """A version that is registered and stored, and has no role yet.

    Parameters
    ----------
    model, version, digest
        Its name in MLflow, and the sha256 of its artifact.
    algorithm, feature_set
        What was trained, on which features.
    threshold
        The suggested score for alerts, or None.
    trained_until_ms
        Event time of the last transaction it learned from.
    examples, frauds
        How many transactions it saw, how many of them fraud.
    roc_auc, average_precision
        Scored before learning; None where a class is missing.
    artifact_bytes
        Size of the compressed artifact.
    parent
        The version it went on from, or None.
    """

    model: str
    version: str
    digest: str
    algorithm: str
    feature_set: str
    threshold: float | None
    trained_until_ms: int
    examples: int
    frauds: int
    roc_auc: float | None
    average_precision: float | None
    artifact_bytes: int
    parent: str | None = None


def train_version(
    dataset: Dataset | TrainingData,
    *,
    registry: Registry,
    store: MetadataStore,
    model: str,
    algorithm: str | None = None,
    feature_set: str = "handbook",
    first_row: int = 0,
    seed: int = 42,
    alert_rate: float = 0.001,
    parent: str | None = None,
    data_path: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> TrainedVersion:
    """Train a version and register it. It scores nothing until ``weir promote`` gives it a role.

    Parameters
    ----------
    dataset
        What to train on; a data set's rows before ``first_row`` only fill the windows.
    registry, store
        MLflow, and the registry's tables.
    model
        The registered model.
    algorithm, feature_set
        A name out of :data:`jobs.training.algorithms.ALGORITHMS`, and the name or label of a set of the code or of rows.
        Without an algorithm, the parent's, or half-space trees.
    first_row
        Index of the first row of a data set to learn from.
    seed
        Of the algorithm.
    alert_rate
        Share of transactions the suggested threshold lets raise an alert.
    parent
        The version of the same model to go on from: it learns from the rows after the parent's last one.
    data_path
        Where the data lies, so that ``weir reproduce`` finds it; None for generated data and for tables.
    progress
        Called with the number of transactions trained on.

    Raises
    ------
    SettingsError
        For an unknown algorithm or feature set, data that does not have the feature set's fields, or a parent that
        does not fit.
    ConnectionLostError, RegistryError, ArtifactError
        As the registry, the tables and the export raise them.
    """
    features = _feature_set(feature_set, dataset, store)
    registry.check_experiment(model)
    before = None if parent is None else registry.version(model, parent)
    done = train_artifact(
        dataset,
        features,
        algorithm=algorithm or (before.algorithm if before else DEFAULT_ALGORITHM),
        first_row=first_row,
        seed=seed,
        alert_rate=alert_rate,
        parent=None if before is None else store.load_artifact(before.digest),
        progress=progress,
    )
    # The bytes first: a version is not in MLflow before it could be deployed.
    digest = store.insert_artifact(done.artifact)
    store.define_features(features.name, features.version, features.hash, features.definition())
    record = _record(done, features, digest, data_path, None if before is None else (before.version, before.digest))
    return _result(registry.register(model, record).version, model, record, done.trained)


def _record(
    done: TrainedArtifact, features: FeatureSet, digest: str, data_path: str | None, parent: tuple[str, str] | None
) -> TrainingRecord:
    source, build_id = _source()
    header = Artifact.decode(done.artifact).header
    return TrainingRecord(
        artifact=done.artifact,
        digest=digest,
        algorithm=header["training"]["algorithm"],
        feature_set=header["feature_set"]["label"],
        threshold=done.trained.threshold,
        trained_until_ms=done.trained_until_ms,
        parameters=done.parameters,
        metrics=_metrics(done.trained),
        data=done.data,
        data_path=data_path,
        code={**code_record(), "build_id": build_id},
        libraries=header["libraries"],
        source=source,
        parent=None if parent is None else {"version": parent[0], "digest": parent[1]},
        feature_definition={"name": features.name, "version": features.version, "definition": features.definition()},
    )


def _result(version: str, model: str, record: TrainingRecord, trained: TrainedModel) -> TrainedVersion:
    return TrainedVersion(
        model=model,
        version=version,
        digest=record.digest,
        algorithm=record.algorithm,
        feature_set=record.feature_set,
        threshold=record.threshold,
        trained_until_ms=record.trained_until_ms,
        examples=trained.examples,
        frauds=trained.frauds,
        roc_auc=trained.roc_auc,
        average_precision=trained.average_precision,
        artifact_bytes=len(record.artifact),
        parent=None if record.parent is None else record.parent["version"],
    )


def _feature_set(name: str, dataset: Dataset | TrainingData, store: MetadataStore) -> FeatureSet:
    found = feature_set_named(name, lambda: store.feature_rows())
    # Rows of the tables come with the features themselves.
    fields = dataset.columns.fields if isinstance(dataset, Dataset) else found.required_fields
    missing = [field for field in found.required_fields if field not in fields]
    if missing:
        msg = f"The data has no {', '.join(missing)}, which the feature set {found.label} needs; choose another one."
        raise SettingsError(msg)
    return found


def _metrics(trained: TrainedModel) -> dict[str, float]:
    figures = {
        "examples": float(trained.examples),
        "frauds": float(trained.frauds),
        "roc_auc": trained.roc_auc,
        "average_precision": trained.average_precision,
        "threshold": trained.threshold,
    }
    return {name: value for name, value in figures.items() if value is not None}


def _source() -> tuple[bytes, str]:
    """Return a zip of our packages as they are now, and its build id: also what a dirty work tree trained with."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "source.zip"
        build_id = build_bundle(path)
        return path.read_bytes(), build_id
