"""Feature sets as rows of a real PostgreSQL, which refuses to lose one that a live version needs."""

from __future__ import annotations

import psycopg
import pytest

from connectors.local.postgres import Postgres
from connectors.postgres.metadata_store import MetadataStore
from connectors.postgres.migrations import install_alias_trigger
from jobs.features.feature_changes import add_features, retire_features
from jobs.features.feature_rows import feature_catalog
from udfs.domain.errors import RegistryError


def test_the_database_refuses_to_retire_what_a_live_version_needs(dsn: str, postgres: Postgres) -> None:
    install_alias_trigger(dsn)
    store = MetadataStore(dsn)
    made = add_features(store, "mine", based_on="handbook", features=["N=customer.count 2d"], without=[])
    assert feature_catalog(store.feature_rows()).named("mine").hash == made.hash
    digest = store.insert_artifact(b"one")
    with psycopg.connect(postgres.dsn_for("mlflow"), autocommit=True) as connection:
        connection.execute("INSERT INTO registered_models (name) VALUES ('fraud')")
        tag = "INSERT INTO model_version_tags (name, version, key, value) VALUES ('fraud', %s, %s, %s)"
        for version, label in ((1, "mine@1"), (2, "handbook@1")):
            connection.execute(tag, (version, "weir.digest", digest))
            connection.execute(tag, (version, "weir.feature_set", label))
        alias = (
            "INSERT INTO registered_model_aliases (name, alias, version) VALUES ('fraud', 'champion', %s)"
            " ON CONFLICT (workspace, name, alias) DO UPDATE SET version = excluded.version"
        )
        connection.execute(alias, (1,))
        with pytest.raises(
            RegistryError, match="mine@1 cannot be retired: model fraud version 1 is champion and needs it"
        ):
            retire_features(store, "mine")
        connection.execute(alias, (2,))
    with pytest.raises(RegistryError, match="only takes new rows"), postgres_errors_as_registry(store):
        pass
    retire_features(store, "mine")
    assert "mine@1" not in feature_catalog(store.feature_rows()).sets


def postgres_errors_as_registry(store: MetadataStore):
    from contextlib import contextmanager

    @contextmanager
    def deleting():
        with store._connection("delete a feature set") as connection:
            connection.execute("DELETE FROM weir.feature_definition WHERE name = 'mine'")
        yield

    return deleting()
