from __future__ import annotations

import psycopg
import pytest

from connectors.postgres.metadata_store import MetadataStore
from connectors.postgres.migrations import install_alias_trigger
from tests.unit.postgres.conftest import AsMlflow
from udfs.domain.errors import RegistryError


def test_setting_an_alias_is_a_deployment_with_what_the_tags_say(mlflow: AsMlflow, store: MetadataStore) -> None:
    digest = store.insert_artifact(b"one")
    mlflow.tag(1, digest=digest, threshold="0.75", effective_from_ms="1700000000000", who="ann", why="better")
    mlflow.alias("champion", 1)
    (row,) = store.history()
    assert (row.model, row.role, row.version, row.digest) == ("fraud", "champion", "1", digest)
    assert (row.threshold, row.effective_from_ms, row.who, row.why) == (0.75, 1_700_000_000_000, "ann", "better")
    assert not row.retired
    mlflow.tag(1, forced="true")
    mlflow.unalias("champion")
    mlflow.alias("champion", 1)
    with psycopg.connect(store._dsn) as connection:
        seen = connection.execute("SELECT forced FROM weir.model_activation ORDER BY deployment_seq").fetchall()
    assert seen == [(False,), (True,)], "the same version, now at any price"


def test_moving_an_alias_is_a_new_row_and_an_upsert_that_changes_nothing_is_none(
    mlflow: AsMlflow, store: MetadataStore
) -> None:
    for version in (1, 2):
        mlflow.tag(version, digest=store.insert_artifact(b"%d" % version))
    for version in (1, 1, 2, 2, 1):
        mlflow.alias("champion", version)
    assert [row.version for row in store.history()] == ["1", "2", "1"]


def test_the_same_version_with_another_threshold_is_a_new_row(mlflow: AsMlflow, store: MetadataStore) -> None:
    mlflow.tag(1, digest=store.insert_artifact(b"one"))
    mlflow.alias("champion", 1)
    mlflow.tag(1, threshold="0.9")
    mlflow.alias("champion", 1)
    assert [row.threshold for row in store.history()] == [0.9, None]


def test_removing_a_challengers_alias_retires_it_once(mlflow: AsMlflow, store: MetadataStore) -> None:
    mlflow.tag(1, digest=store.insert_artifact(b"one"))
    mlflow.alias("shadow", 1)
    mlflow.unalias("shadow")
    mlflow.unalias("shadow")
    assert [(row.role, row.retired) for row in store.history()] == [("shadow", True), ("shadow", False)]
    mlflow.alias("shadow", 1)
    assert not store.deployments()[0].retired


def test_removing_the_champions_alias_retires_nothing(mlflow: AsMlflow, store: MetadataStore) -> None:
    mlflow.tag(1, digest=store.insert_artifact(b"one"))
    mlflow.alias("champion", 1)
    mlflow.unalias("champion")
    assert [(row.role, row.retired) for row in store.history()] == [("champion", False)]
    mlflow.connection.execute("DELETE FROM registered_models")
    assert len(store.history()) == 1


@pytest.mark.parametrize(
    ("tags", "sentence"),
    [
        ({}, 'it has no tag weir.digest with the sha256 of an artifact .got "no tag"'),
        ({"digest": "latest"}, 'got "latest"'),
        ({"digest": "0" * 64}, "no artifact with digest 0000"),
        ({"digest": "ARTIFACT", "threshold": "high"}, 'tag weir.threshold = "high", which is not a finite number'),
        ({"digest": "ARTIFACT", "threshold": "NaN"}, "not a finite number"),
        ({"digest": "ARTIFACT", "effective_from_ms": "1e999"}, "weir.effective_from_ms"),
        ({"digest": "ARTIFACT", "effective_from_ms": "1e30"}, "weir.effective_from_ms"),
        ({"digest": "ARTIFACT", "effective_from_ms": "-1"}, "weir.effective_from_ms"),
    ],
)
def test_a_version_that_cannot_score_is_refused_in_words_and_leaves_no_row(
    mlflow: AsMlflow, store: MetadataStore, tags: dict[str, str], sentence: str
) -> None:
    artifact = store.insert_artifact(b"one")
    mlflow.tag(1, **{key: value.replace("ARTIFACT", artifact) for key, value in tags.items()})
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match=sentence):
        mlflow.alias("champion", 1)
    assert store.history() == []
    count = mlflow.connection.execute("SELECT count(*) FROM registered_model_aliases").fetchone()
    assert count == (0,)


def test_a_deployed_model_cannot_be_renamed(mlflow: AsMlflow, store: MetadataStore) -> None:
    mlflow.tag(1, digest=store.insert_artifact(b"one"))
    mlflow.alias("champion", 1)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="cannot be renamed to other"):
        mlflow.connection.execute("UPDATE registered_models SET name = 'other'")


def test_another_workspace_deploys_and_retires_nothing(mlflow: AsMlflow, store: MetadataStore) -> None:
    mlflow.tag(1, digest=store.insert_artifact(b"one"))
    mlflow.alias("shadow", 1)
    mlflow.connection.execute("INSERT INTO registered_models VALUES ('elsewhere', 'fraud')")
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match='workspace "elsewhere"'):
        mlflow.connection.execute("INSERT INTO registered_model_aliases VALUES ('elsewhere', 'fraud', 'shadow', 1)")
    assert len(store.history()) == 1


def test_without_mlflows_tables_the_trigger_says_what_is_missing(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("DROP TABLE registered_model_aliases")
    with pytest.raises(RegistryError, match="registered_model_aliases"):
        install_alias_trigger(dsn)
