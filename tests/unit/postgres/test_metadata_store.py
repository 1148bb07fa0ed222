from __future__ import annotations

import random
import threading

import psycopg
import pytest

from connectors.postgres.metadata_store import MetadataStore
from udfs.domain.errors import ConnectionLostError, RegistryError

ROW = 512 * 1024


@pytest.mark.parametrize("size", [1, ROW, ROW + 1, 4 * 1024 * 1024])
def test_an_artifact_comes_back_as_it_went_in_and_goes_in_once(dsn: str, size: int) -> None:
    store = MetadataStore(dsn)
    data = random.Random(size).randbytes(size)
    digest = store.insert_artifact(data)
    assert store.insert_artifact(data) == digest
    assert store.load_artifact(digest) == data
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("SELECT part, parts FROM weir.model_artifact ORDER BY part").fetchall()
    assert rows == [(part, -(-size // ROW)) for part in range(-(-size // ROW))]


@pytest.mark.parametrize("size", [0, 4 * 1024 * 1024 + 1])
def test_an_artifact_outside_the_bounds_is_refused(dsn: str, size: int) -> None:
    with pytest.raises(RegistryError, match=f"has {size}"):
        MetadataStore(dsn).insert_artifact(bytes(size))


def test_bytes_that_are_not_what_their_digest_says_are_never_returned(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "INSERT INTO weir.model_artifact (digest, part, parts, bytes) VALUES (%s, 0, 1, 'x')", ("0" * 64,)
        )
    with pytest.raises(RegistryError, match="do not use it"):
        MetadataStore(dsn).load_artifact("0" * 64)


@pytest.mark.parametrize("statement", ["UPDATE {} SET created_ms = 0", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("table", ["model_artifact", "model_activation", "feature_definition"])
def test_rows_only_ever_get_more(dsn: str, table: str, statement: str) -> None:
    with psycopg.connect(dsn) as connection, pytest.raises(psycopg.errors.IntegrityConstraintViolation) as raised:
        connection.execute(statement.format(f"weir.{table}"))
    assert f"weir.{table} only takes new rows" in str(raised.value)


def test_an_activation_without_its_whole_artifact_is_refused_in_a_sentence(dsn: str) -> None:
    store = MetadataStore(dsn)
    with pytest.raises(RegistryError, match=r"^model fraud version 1 cannot become champion: no artifact with digest"):
        store.activate("fraud", "1", "0" * 64)
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "INSERT INTO weir.model_artifact (digest, part, parts, bytes) VALUES (%s, 0, 2, 'x')", ("1" * 64,)
        )
    with pytest.raises(RegistryError, match="not whole, 1 of 2 parts"):
        store.activate("fraud", "1", "1" * 64)
    assert store.last_deployment_seq() == 0


def test_the_champion_is_never_retired_to_nothing(dsn: str) -> None:
    store = MetadataStore(dsn)
    digest = store.insert_artifact(b"a")
    store.activate("fraud", "1", digest)
    with pytest.raises(RegistryError, match="model_activation"):
        store.activate("fraud", "1", digest, retired=True)


def test_deployments_are_the_newest_per_role_and_history_is_all(dsn: str) -> None:
    store = MetadataStore(dsn)
    digest = store.insert_artifact(b"a")
    store.activate("fraud", "1", digest, threshold=0.5, who="me", why="first")
    store.activate("fraud", "2", digest, role="shadow")
    last = store.activate("fraud", "3", digest)
    store.activate("other", "1", digest)
    assert [(row.role, row.version) for row in store.deployments("fraud")] == [("champion", "3"), ("shadow", "2")]
    assert [row.version for row in store.history("fraud")] == ["3", "2", "1"]
    assert store.history("fraud", limit=1)[0].deployment_seq == last
    assert store.history("fraud")[-1].threshold == 0.5
    assert len(store.deployments()) == 3


def test_numbers_follow_the_order_of_commits(dsn: str) -> None:
    """The second writer must not get a number before the first has committed, however slow the first is."""
    digest = MetadataStore(dsn).insert_artifact(b"a")
    insert = (
        "INSERT INTO weir.model_activation (model, role, version, digest) VALUES ('m', %s, '1', %s)"
        " RETURNING deployment_seq"
    )
    order: list[tuple[str, int]] = []
    with psycopg.connect(dsn) as slow:
        row = slow.execute(insert, ("slow", digest)).fetchone()
        assert row is not None

        def second() -> None:
            order.append(("fast", MetadataStore(dsn).activate("m", "1", digest, role="fast")))

        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        order.append(("slow", row[0]))
    thread.join(10)
    assert [name for name, _ in order] == ["slow", "fast"]
    assert order[0][1] < order[1][1]


def test_a_feature_set_keeps_its_meaning_under_its_version(dsn: str) -> None:
    store = MetadataStore(dsn)
    store.define_features("handbook", 1, "a" * 64, {"features": ["amount"]})
    store.define_features("handbook", 1, "a" * 64, {"features": ["amount"]})
    with pytest.raises(RegistryError, match="handbook@1"):
        store.define_features("handbook", 1, "b" * 64, {"features": []})


def test_a_database_that_is_away_is_one_sentence() -> None:
    with pytest.raises(ConnectionLostError, match="PostgreSQL does not answer") as raised:
        MetadataStore("host=127.0.0.1 port=1 user=weir dbname=weir connect_timeout=1").last_deployment_seq()
    assert isinstance(raised.value.__cause__, psycopg.Error)
