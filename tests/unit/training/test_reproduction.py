"""A version comes out again from its record alone; a record, code or data that was changed is found and named."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.data.dataset import open_dataset
from jobs.features.feature_changes import add_features
from jobs.features.feature_rows import FeatureRow
from jobs.training.reproduction import Reproduction, reproduce_version
from jobs.training.train_version import train_version
from model_store.artifact import digest
from model_store.model_version import ModelVersion
from model_store.registry import ARTIFACT_PATH, RECORD_PATH, SOURCE_PATH
from model_store.training_record import TrainingRecord
from udfs.domain.errors import RegistryError, SettingsError


class Records:
    """The registry in memory: versions, and the files of their runs; the artifacts' table, too."""

    def __init__(self) -> None:
        self.files: dict[tuple[str, str], bytes] = {}
        self.digests: dict[str, str] = {}
        self.artifacts: dict[str, bytes] = {}
        self.features: dict[tuple[str, int], dict[str, Any]] = {}

    def check_experiment(self, model: str) -> None:
        """No experiment is deleted here."""

    def register(self, model: str, record: TrainingRecord) -> ModelVersion:
        version = str(len(self.digests) + 1)
        self.digests[version] = record.digest
        files = {ARTIFACT_PATH: record.artifact, SOURCE_PATH: record.source}
        files[RECORD_PATH] = json.dumps(record.described()).encode()
        self.files |= {(version, path): data for path, data in files.items()}
        return self.version(model, version)

    def version(self, model: str, version: str) -> ModelVersion:
        record = json.loads(self.files[version, RECORD_PATH])
        return ModelVersion(
            model, version, self.digests[version], None, record.get("algorithm", ""), "", (), version, 0
        )

    def load_file(self, run_id: str, path: str) -> bytes:
        return self.files[run_id, path]

    def insert_artifact(self, data: bytes) -> str:
        self.artifacts[digest(data)] = data
        return digest(data)

    def load_artifact(self, name: str) -> bytes:
        return self.artifacts[name]

    def define_features(self, name: str, version: int, _: str, definition: dict[str, Any]) -> None:
        self.features[name, version] = definition

    def feature_rows(self) -> list[FeatureRow]:
        return [(*label, definition, 0) for label, definition in self.features.items()]

    def change(self, version: str, edit: Callable[[dict[str, Any]], Any]) -> None:
        """Tamper with a training.json."""
        record = json.loads(self.files[version, RECORD_PATH])
        edit(record)
        self.files[version, RECORD_PATH] = json.dumps(record).encode()


def again(records: Records, version: str, **arguments: Any) -> Reproduction:
    return reproduce_version(records, "m", version, **arguments)  # type: ignore[arg-type]


def train(records: Records, dataset: Any, **arguments: Any) -> None:
    train_version(dataset, registry=records, store=records, model="m", **arguments)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def trained() -> Records:
    """A parent, its child, and a supervised version."""
    records = Records()
    dataset = open_dataset("generator", rows=700, seed=3)
    train(records, dataset.part(0, 400), seed=7)
    train(records, dataset, parent="1", seed=9)
    train(records, dataset.part(100), algorithm="logistic-regression", first_row=50)
    return records


@pytest.fixture
def records(trained: Records) -> Records:
    copy = Records()
    copy.files, copy.digests, copy.artifacts = dict(trained.files), dict(trained.digests), dict(trained.artifacts)
    return copy


def test_a_child_comes_out_again_from_the_root_parent_on(trained: Records) -> None:
    seen: list[tuple[int, int]] = []
    result = again(trained, "2", progress=lambda done, total: seen.append((done, total)))
    assert result.problem is None
    assert result.equal
    assert [(step.version, step.again == step.digest) for step in result.steps] == [("1", True), ("2", True)]
    assert seen[-1] == (700, 700)


def test_a_supervised_version_on_a_part_of_the_rows_comes_out_again(trained: Records) -> None:
    assert again(trained, "3").problem is None


def test_a_version_on_a_feature_set_of_rows_needs_no_rows_to_come_out_again() -> None:
    records = Records()
    store: Any = records
    add_features(store, "mine", based_on="handbook", features=["SPENT_3D=customer.sum(amount) 3d"], without=[])
    train(records, open_dataset("generator", rows=300, seed=3), feature_set="mine")
    records.features.clear()
    assert again(records, "1").problem is None
    records.change("1", lambda record: record.pop("feature_definition"))
    assert "feature_definition is None" in str(again(records, "1").problem)


def test_a_changed_working_copy_does_not_matter(trained: Records, tmp_path: Path, monkeypatch: Any) -> None:
    package = tmp_path / "jobs"
    package.mkdir()
    for name in ("__init__.py", "train_again.py"):
        (package / name).write_text("raise SystemExit('the working copy was imported')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert again(trained, "1").problem is None


def test_other_recorded_code_gives_another_digest_even_when_it_names_itself_rightly(records: Records) -> None:
    source = rewritten(records.files["1", SOURCE_PATH], "jobs/training/algorithms.py", b'"height": 8', b'"height": 7')
    records.files["1", SOURCE_PATH] = source
    problem = again(records, "1").problem
    assert problem is not None
    assert problem.startswith("The recorded code of version 1 of m was changed")
    from jobs.bundle import build_id_of

    records.change("1", lambda record: record["code"].update(build_id=build_id_of(source)))
    result = again(records, "1")
    assert result.problem is not None
    assert result.problem.startswith("Version 1 came out as")
    assert result.steps[0].again not in ("", result.steps[0].digest)


def rewritten(bundle: bytes, path: str, old: bytes, new: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(bundle)) as source, zipfile.ZipFile(out, "w") as copy:
        for name in source.namelist():
            data = source.read(name)
            copy.writestr(name, data.replace(old, new) if name == path else data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (lambda record: record["parameters"].update(seed=8), "parameters.seed is 8, the artifact says 7"),
        (lambda record: record["parameters"].update(height=7), "parameters.height"),
        (lambda record: record["data"].update(seed=4), "data.seed is 4"),
        (lambda record: record["data"].update(rows=399), "data.rows"),
        (lambda record: record["data"].pop("first_row"), "data.first_row is None"),
        (lambda record: record.update(algorithm="logistic-regression"), "algorithm"),
        (lambda record: record.update(digest="0" * 64), "digest"),
        (lambda record: record.update(feature_set="creditcard@1"), "feature_set"),
        (lambda record: record["libraries"].update(river="0.1"), "libraries.river is '0.1'"),
        (lambda record: record["code"].update(build_id="0" * 64), "the recorded code"),
        (lambda record: record.update(parent={"version": "1", "digest": "0" * 64}), "its own ancestor"),
        (lambda record: record.update(data=None), "data."),
        (lambda record: record["feature_definition"]["definition"]["features"].pop(), "feature_definition"),
        (lambda record: record["feature_definition"].pop("definition"), "feature_definition is None"),
    ],
)
def test_a_tampered_record_is_found_and_named(records: Records, edit: Any, named: str) -> None:
    records.change("1", edit)
    result = again(records, "1")
    assert not result.equal
    assert result.problem is not None
    assert named.lower() in result.problem.lower()


def test_a_tampered_parent_is_found_when_the_child_is_reproduced(records: Records) -> None:
    records.change("1", lambda record: record["parameters"].update(seed=8))
    result = again(records, "2")
    assert [step.version for step in result.steps] == ["1"]
    assert not result.equal


def test_changed_bytes_and_a_changed_digest_are_found(records: Records) -> None:
    records.files["1", ARTIFACT_PATH] = records.files["3", ARTIFACT_PATH]
    assert "The artifact of version 1 of m was changed" in str(again(records, "1").problem)
    records.digests["3"] = "0" * 64
    assert "The artifact of version 3 of m was changed" in str(again(records, "3").problem)
    records.files["2", SOURCE_PATH] = b"no zip"
    records.files["1", ARTIFACT_PATH] = records.artifacts[records.digests["1"]]
    assert "cannot be read" in str(again(records, "2").problem)


def test_another_child_of_another_parent_is_found(records: Records) -> None:
    records.change("2", lambda record: record["parent"].update(version="3"))
    assert "its parent version is" in str(again(records, "2").problem)


def test_a_record_of_another_kind_is_a_sentence(records: Records) -> None:
    records.change("1", lambda record: record.update(schema=2))
    with pytest.raises(RegistryError, match="needs schema 1"):
        again(records, "1")
    records.digests["3"] = ""
    with pytest.raises(RegistryError, match="was not made by weir train"):
        again(records, "3")


def test_data_is_found_by_its_sha256_wherever_it_lies_and_changed_data_is_named(
    tmp_path: Path, creditcard_extract: Path
) -> None:
    first, moved = tmp_path / "a.parquet", tmp_path / "b.parquet"
    shutil.copy(creditcard_extract, first)
    records = Records()
    dataset = open_dataset(first, rows=400)
    train(records, dataset, feature_set="creditcard", first_row=40, data_path=str(first))
    assert again(records, "1").problem is None
    first.rename(moved)
    with pytest.raises(SettingsError, match=r"a\.parquet; say where it is: --data FILE"):
        again(records, "1")
    assert again(records, "1", data=[moved]).problem is None
    moved.write_bytes(moved.read_bytes() + b" ")
    assert "The data was changed" in str(again(records, "1", data=[moved]).problem)


def test_other_libraries_are_a_sentence_and_not_a_finding(trained: Records, monkeypatch: Any) -> None:
    monkeypatch.setattr("jobs.training.recorded_version.libraries", lambda: {"river": "9"})
    with pytest.raises(SettingsError, match=r"river 0\.23\.0 \(here 9\)"):
        again(trained, "1")
