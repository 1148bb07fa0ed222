from __future__ import annotations

import dataclasses
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from connectors.data.dataset import open_dataset
from jobs.training.train_version import train_version
from model_store.artifact import Artifact, digest
from model_store.compiled_scorer import load_scorer
from model_store.model_version import ModelVersion
from model_store.training_record import TrainingRecord
from udfs.domain.errors import SettingsError
from udfs.domain.feature_set import FEATURE_SETS


class Registry:
    def check_experiment(self, model: str) -> None:
        """Find nothing wrong."""

    """MLflow's part, in memory."""

    def __init__(self) -> None:
        self.records: list[TrainingRecord] = []

    def register(self, model: str, record: TrainingRecord) -> ModelVersion:
        self.records.append(record)
        return self.version(model, str(len(self.records)))

    def version(self, model: str, version: str) -> ModelVersion:
        record = self.records[int(version) - 1]
        run = f"run-{version}"
        return ModelVersion(model, version, record.digest, record.threshold, record.algorithm, "", (), run, 0)


class Store:
    """PostgreSQL's part, in memory."""

    def __init__(self) -> None:
        self.artifacts: dict[str, bytes] = {}
        self.definitions: dict[tuple[str, int], Any] = {}

    def insert_artifact(self, data: bytes) -> str:
        self.artifacts[digest(data)] = data
        return digest(data)

    def load_artifact(self, digest: str) -> bytes:
        return self.artifacts[digest]

    def define_features(self, name: str, version: int, definition_hash: str, definition: dict[str, Any]) -> None:
        self.definitions[name, version] = (definition_hash, definition)

    def feature_rows(self) -> list[Any]:
        return []


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
        assert {"jobs/training/train_model.py", "udfs/domain/customer_windows.py"} <= set(source.namelist())
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


def train_on(rows: int, registry: Registry, store: Store, **arguments: Any) -> Any:
    dataset = open_dataset("generator", rows=1_500, seed=2).part(0, rows)
    return train_version(dataset, registry=registry, store=store, model="fraud", **arguments)


def learned(data: bytes) -> dict[str, bytes]:
    """What a model has learned, without the probes of its run."""
    arrays = Artifact.decode(data).arrays
    return {name: array.tobytes() for name, array in arrays.items() if not name.startswith("probes")}


@pytest.mark.parametrize("algorithm", ["half-space-trees", "logistic-regression"])
def test_a_version_continues_its_parent_and_names_it(algorithm: str) -> None:
    registry, store = Registry(), Store()
    first = train_on(900, registry, store, algorithm=algorithm)
    second = train_on(1_500, registry, store, parent="1")
    assert (second.algorithm, second.parent, second.examples) == (algorithm, "1", 600)
    header = Artifact.decode(store.artifacts[second.digest]).header
    assert header["parent"] == first.digest
    assert header["training"]["data"]["first_row"] == 900
    assert header["trained_until_ms"] > Artifact.decode(store.artifacts[first.digest]).header["trained_until_ms"]
    assert registry.records[1].parent == {"version": "1", "digest": first.digest}
    assert registry.records[0].parent is None


def test_trees_that_went_on_have_learned_what_trees_trained_in_one_go_have() -> None:
    registry, store = Registry(), Store()
    train_on(700, registry, store)
    in_two = train_on(1_500, registry, store, parent="1")
    in_one = train_on(1_500, registry, store)
    assert learned(store.artifacts[in_two.digest]) == learned(store.artifacts[in_one.digest])
    assert in_two.digest != in_one.digest  # the record says how it came about


def test_a_child_of_a_child_learns_nothing_twice() -> None:
    registry, store = Registry(), Store()
    for rows, parent in ((600, None), (900, "1"), (1_500, "2")):
        last = train_on(rows, registry, store, parent=parent)
    in_one = train_on(1_500, registry, store)
    assert learned(store.artifacts[last.digest]) == learned(store.artifacts[in_one.digest])


def test_a_parent_that_does_not_fit_is_a_sentence(creditcard_extract: Path) -> None:
    registry, store = Registry(), Store()
    train_on(900, registry, store)
    with pytest.raises(SettingsError, match="The parent is a half-space-trees"):
        train_on(1_500, registry, store, parent="1", algorithm="logistic-regression")
    with pytest.raises(SettingsError, match="goes on where it stopped"):
        train_on(900, registry, store, parent="1")
    other = open_dataset(creditcard_extract, rows=400)
    with pytest.raises(SettingsError, match="knows the features handbook@1, not creditcard@1"):
        train_version(other, registry=registry, store=store, model="fraud", feature_set="creditcard", parent="1")
