"""The registry on real parts: PostgreSQL, S3 and MLflow as the stack starts them, trained, deployed and refused."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from connectors.data.dataset import open_dataset
from connectors.local.port_check import is_free
from connectors.local.stack import LocalStack
from connectors.postgres.metadata_store import MetadataStore
from jobs.commands.promote import promote_version
from jobs.settings import Settings
from jobs.training.train_version import train_version
from model_store.registry import Registry
from udfs.domain.errors import ConnectionLostError, RegistryError

PASSWORD = "it's p@ss/w%rd"


@dataclass(frozen=True)
class Parts:
    registry: Registry
    store: MetadataStore
    mlflow: str


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    home = tmp_path_factory.mktemp("registry") / "home"
    only = ("postgres", "s3", "mlflow")
    stack = LocalStack(home, Settings().cache, free_port_base(), PASSWORD, "key", "secret\\:=", only=only)
    stack.up()
    dsn = psycopg.conninfo.make_conninfo(
        host="127.0.0.1", port=stack.ports.postgres, user="weir", password=PASSWORD, dbname="weir"
    )
    address = stack.ports.addresses()["mlflow"]
    registry, store = Registry(address), MetadataStore(dsn)
    for seed in (1, 2):
        dataset = open_dataset("generator", rows=600, seed=seed)
        train_version(dataset, registry=registry, store=store, model="fraud", seed=seed)
    yield Parts(registry, store, address)
    stack.down(purge=True)


def free_port_base() -> int:
    return next(base for base in range(30_000, 60_000, 100) if all(is_free(base + port) for port in (32, 50, 90)))


def call(parts: Parts, path: str, body: dict[str, object]) -> tuple[int, dict[str, object]]:
    """Ask MLflow as its page does, without any of our code."""
    request = urllib.request.Request(
        f"{parts.mlflow}/api/2.0/mlflow/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_a_trained_version_has_its_bytes_in_both_places_and_everything_on_record(parts: Parts) -> None:
    newest, first = parts.registry.versions("fraud")
    assert (first.version, first.algorithm, first.feature_set) == ("1", "half-space-trees", "handbook@1")
    assert first.metrics["examples"] == 600
    url = f"{parts.mlflow}/get-artifact?run_uuid={first.run_id}&path="
    with urllib.request.urlopen(url + "model/artifact.weir", timeout=30) as answer:
        assert answer.read() == parts.store.load_artifact(first.digest)
    with urllib.request.urlopen(url + "source.zip", timeout=30) as answer:
        assert "jobs/training/train_model.py" in zipfile.ZipFile(io.BytesIO(answer.read())).namelist()
    with urllib.request.urlopen(url + "training.json", timeout=30) as answer:
        described = json.load(answer)
    assert set(described) >= {"data", "code", "libraries", "parameters", "metrics", "parent"}
    assert newest.digest != first.digest


def test_setting_an_alias_on_mlflows_own_interface_is_a_deployment(parts: Parts) -> None:
    before = parts.store.last_deployment_seq()
    status, _ = call(parts, "registered-models/alias", {"name": "fraud", "alias": "champion", "version": "1"})
    assert status == 200
    row = parts.store.history("fraud")[0]
    assert row.deployment_seq > before
    assert (row.role, row.version, row.digest) == ("champion", "1", parts.registry.version("fraud", "1").digest)


def test_a_version_without_artifact_is_refused_readably_on_mlflows_own_interface(parts: Parts) -> None:
    run_id = parts.registry.version("fraud", "1").run_id
    body = {"name": "fraud", "source": f"runs:/{run_id}/model", "run_id": run_id}
    status, made = call(parts, "model-versions/create", body)
    assert status == 200, made
    version = made["model_version"]["version"]  # type: ignore[index]
    before = parts.store.last_deployment_seq()
    status, said = call(parts, "registered-models/alias", {"name": "fraud", "alias": "champion", "version": version})
    assert status == 400
    assert f"model fraud version {version} cannot become champion: it has no tag weir.digest" in str(said["message"])
    with pytest.raises(RegistryError, match=r"^model fraud version .* cannot become champion: it has no tag"):
        promote_version(parts.registry, "fraud", str(version))
    assert parts.store.last_deployment_seq() == before


def test_promoting_again_with_another_threshold_is_seen_and_the_champion_stays(parts: Parts) -> None:
    promote_version(parts.registry, "fraud", "2", threshold=0.5)
    promote_version(parts.registry, "fraud", "2", threshold=0.25, why="fewer")
    newest, before = parts.store.history("fraud", limit=2)
    assert (newest.threshold, newest.why, before.threshold) == (0.25, "fewer", 0.5)
    parts.registry.remove_alias("fraud", "champion")
    assert parts.store.history("fraud", limit=1)[0] == newest


def test_deleting_a_version_retires_the_challenger_it_was(parts: Parts) -> None:
    dataset = open_dataset("generator", rows=300, seed=3)
    trained = train_version(dataset, registry=parts.registry, store=parts.store, model="fraud")
    promote_version(parts.registry, "fraud", trained.version, "shadow")
    request = urllib.request.Request(
        f"{parts.mlflow}/api/2.0/mlflow/model-versions/delete",
        json.dumps({"name": "fraud", "version": trained.version}).encode(),
        {"Content-Type": "application/json"},
        method="DELETE",
    )
    urllib.request.urlopen(request, timeout=30).close()
    newest = parts.store.history("fraud", limit=1)[0]
    assert (newest.role, newest.version, newest.retired) == ("shadow", trained.version, True)


@pytest.mark.parametrize(
    ("tag", "value", "said"),
    [
        ("weir.trained_until_ms", "2018-04-01", "weir.trained_until_ms is no time in milliseconds: '2018-04-01'"),
        ("weir.threshold", "high", "weir.threshold is no number: 'high'"),
    ],
)
def test_a_tag_edited_by_hand_hides_no_version(parts: Parts, tag: str, value: str, said: str) -> None:
    before = {each.version: each for each in parts.registry.versions("fraud")}
    written = "".join(str(getattr(before["1"], tag.partition(".")[2])))
    edited = {"name": "fraud", "version": "1", "key": tag, "value": value}
    assert call(parts, "model-versions/set-tag", edited)[0] == 200
    found = {each.version: each for each in parts.registry.versions("fraud")}
    assert said in found["1"].note
    assert found.pop("1").digest == before.pop("1").digest
    assert found == before
    assert call(parts, "model-versions/set-tag", {**edited, "value": written})[0] == 200
    assert parts.registry.version("fraud", "1").note == ""


def test_with_its_experiment_deleted_nothing_is_trained_until_it_is_restored(parts: Parts) -> None:
    dataset = open_dataset("generator", rows=300, seed=5)
    experiment = call(parts, "experiments/create", {"name": "restored"})[1]["experiment_id"]
    assert call(parts, "experiments/delete", {"experiment_id": experiment})[0] == 200
    seen: list[int] = []
    with pytest.raises(RegistryError, match="experiment restored was deleted in MLflow") as refused:
        train_version(dataset, registry=parts.registry, store=parts.store, model="restored", progress=seen.append)
    assert seen == []
    words = str(refused.value).partition("with: ")[2].split()
    variable, _, uri = words[0].partition("=")
    command = [sys.executable, "-m", *words[1:]]
    subprocess.run(command, env={**os.environ, variable: uri}, check=True, capture_output=True, timeout=120)
    assert train_version(dataset, registry=parts.registry, store=parts.store, model="restored").version == "1"


def test_a_model_that_is_not_there_has_no_versions_and_a_dead_server_is_one_sentence(parts: Parts) -> None:
    assert parts.registry.versions("nothing") == []
    with pytest.raises(ConnectionLostError, match="does not answer"):
        Registry("http://127.0.0.1:1").versions("fraud")
