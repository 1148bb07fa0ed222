from __future__ import annotations

import dataclasses
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from connectors.data.dataset import open_dataset
from jobs.train_version import train_version
from model_store.artifact import Artifact, digest
from model_store.compiled_scorer import load_scorer
from model_store.model_version import ModelVersion
from model_store.training_record import TrainingRecord
from udfs.domain.errors import SettingsError
from udfs.domain.feature_set import FEATURE_SETS


class Registry:
    """MLflow's part, in memory."""

    def __init__(self) -> None:
        self.records: list[TrainingRecord] = []

    def register(self, model: str, record: TrainingRecord) -> ModelVersion:
        self.records.append(record)
        return ModelVersion(model, str(len(self.records)), record.digest, record.threshold, "", "", (), "", 0)


class Store:
    """PostgreSQL's part, in memory."""

    def __init__(self) -> None:
        self.artifacts: dict[str, bytes] = {}
        self.definitions: dict[tuple[str, int], Any] = {}

    def insert_artifact(self, data: bytes) -> str:
        self.artifacts[digest(data)] = data
        return digest(data)

    def define_features(self, name: str, version: int, definition_hash: str, definition: dict[str, Any]) -> None:
        self.definitions[name, version] = (definition_hash, definition)


def train(**changes: Any) -> tuple[Any, TrainingRecord, Store]:
    registry, store = Registry(), Store()
    dataset = changes.pop("dataset", None) or open_dataset("generator", rows=1_500, seed=2)
    trained = train_version(dataset, registry=registry, store=store, model="fraud", **changes)
    return trained, registry.records[0], store


@pytest.mark.parametrize("algorithm", ["half-space-trees", "logistic-regression"])
def test_what_is_stored_scores_as_what_was_trained_and_says_what_it_is(algorithm: str) -> None:
    trained, record, store = train(algorithm=algorithm, first_row=500, seed=9)
    data = store.artifacts[trained.digest]
    assert record.artifact == data
    header = Artifact.decode(data).header
    assert header["seed"] == 9
    assert header["trained_until_ms"] == trained.trained_until_ms == record.trained_until_ms
    assert header["training"]["data"]["first_row"] == 500
    assert header["training"]["data"]["rows"] == trained.examples == 1_000
    assert header["feature_set"]["hash"] == FEATURE_SETS["handbook"].hash
    assert load_scorer(data).header["kind"] in ("half_space_trees", "linear")
    assert store.definitions["handbook", 1][0] == FEATURE_SETS["handbook"].hash


def test_the_same_training_gives_the_same_digest() -> None:
    assert train(seed=1)[0].digest == train(seed=1)[0].digest != train(seed=2)[0].digest


def test_the_record_holds_the_source_and_the_commit() -> None:
    _, record, _ = train()
    with zipfile.ZipFile(io.BytesIO(record.source)) as source:
        assert {"jobs/training.py", "udfs/domain/customer_windows.py"} <= set(source.namelist())
    assert {"commit", "dirty", "build_id"} == set(record.code)
    assert record.metrics["examples"] == 1_500
    assert all(value is not None for value in record.metrics.values())
    assert {"python", "river", "numpy"} <= set(record.libraries)


def test_data_without_the_fields_of_a_feature_set_is_a_sentence() -> None:
    with pytest.raises(SettingsError, match=r"The data has no Time, V1, .* creditcard@1"):
        train(feature_set="creditcard")
    with pytest.raises(SettingsError, match="no feature set 'book'"):
        train(feature_set="book")


def test_a_trained_version_is_plain_values(creditcard_extract: Path) -> None:
    dataset = open_dataset(creditcard_extract, rows=400)
    trained, _, _ = train(dataset=dataset, feature_set="creditcard")
    values = dataclasses.asdict(trained)
    assert values["feature_set"] == "creditcard@1"
    assert all(value is None or isinstance(value, str | int | float) for value in values.values())
