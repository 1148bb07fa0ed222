"""What the database sends again ahead of an activation, and what a snapshot of its tables carries."""

from __future__ import annotations

import time
from collections.abc import Iterator
from hashlib import sha256

import psycopg
import pytest

from connectors.postgres.metadata_store import MetadataStore
from udfs.domain.deployment import HISTORY

# A note of every row that is written, in order: what Debezium reads from the write-ahead log.
NOTES = """
CREATE TABLE public.note (id serial, said text, digest text);
CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.note (said, digest) VALUES (TG_TABLE_NAME, NEW.digest);
    RETURN NULL;
END $$;
CREATE TRIGGER note AFTER INSERT ON weir.artifact_again FOR EACH ROW EXECUTE FUNCTION public.note();
CREATE TRIGGER note AFTER INSERT ON weir.model_activation FOR EACH ROW EXECUTE FUNCTION public.note();
"""


class Registry:
    """The tables, and artifacts as if they had been written some seconds ago."""

    def __init__(self, connection: psycopg.Connection, store: MetadataStore) -> None:
        self._connection, self.store = connection, store
        connection.execute(NOTES)

    def write(self, name: str, seconds_ago: float, parts: int = 1) -> str:
        chunks = [name.encode(), *[b"x"] * (parts - 1)]
        digest = sha256(b"".join(chunks)).hexdigest()
        for part in range(parts):
            self._connection.execute(
                "INSERT INTO weir.model_artifact (digest, part, parts, bytes, signature, created_ms)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                (
                    digest,
                    part,
                    parts,
                    chunks[part],
                    bytes(64),
                    round((time.time() - seconds_ago) * 1_000),
                ),
            )
        return digest

    def deploy(self, digest: str, model: str = "fraud", role: str = "champion") -> list[str]:
        """Deploy and return the tables whose rows were written, in order."""
        self._connection.execute("TRUNCATE public.note")
        self.store.activate(model, "1", digest, role=role)
        return [row[0] for row in self._connection.execute("SELECT said FROM public.note ORDER BY id").fetchall()]

    def names(self, view: str, column: str) -> list[object]:
        return [row[0] for row in self._connection.execute(f"SELECT {column} FROM weir.{view} ORDER BY 1").fetchall()]


@pytest.fixture
def registry(dsn: str) -> Iterator[Registry]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield Registry(connection, MetadataStore(dsn))


def test_a_version_that_was_just_trained_is_not_sent_twice(registry: Registry) -> None:
    registry.write("before", 600)
    registry.write("meanwhile", 20)
    registry.write("meanwhile, too", 10)
    assert registry.deploy(registry.write("new", 30)) == ["model_activation"]


def test_one_that_the_job_may_have_let_go_is_sent_ahead_of_its_activation_part_by_part(registry: Registry) -> None:
    old = registry.write("old", 600, parts=3)
    for number in range(3):
        registry.write(str(number), 300 - number)
    assert registry.deploy(old) == ["artifact_again"] * 3 + ["model_activation"]
    assert registry.deploy(old) == ["model_activation"]  # it is the one used last now
    assert registry.names("artifact_again", "id") == []


def test_what_comes_again_is_what_was_written_with_its_signature(registry: Registry, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("DROP TRIGGER note ON weir.artifact_again")
        connection.execute("CREATE TABLE public.kept (LIKE weir.artifact_again)")
        connection.execute(
            "CREATE FUNCTION public.keep() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN INSERT INTO public.kept SELECT NEW.*; RETURN NULL; END $$"
        )
        connection.execute(
            "CREATE TRIGGER keep AFTER INSERT ON weir.artifact_again FOR EACH ROW EXECUTE FUNCTION public.keep()"
        )
        old = registry.write("old", 600, parts=2)
        for number in range(3):
            registry.write(str(number), 300)
        registry.deploy(old)
        columns = "digest, part, parts, bytes, signature"
        kept, written = (
            connection.execute(f"SELECT {columns} FROM {table} WHERE digest = %s ORDER BY part", (old,)).fetchall()
            for table in ("public.kept", "weir.model_artifact")
        )
    assert kept == written
    assert len(kept) == 2


def test_what_another_model_used_lately_was_not_used_by_this_one(registry: Registry) -> None:
    old = registry.write("old", 600)
    for number in range(3):
        registry.write(str(number), 300)
    assert registry.deploy(old, model="other")[0] == "artifact_again"
    assert registry.deploy(old)[0] == "artifact_again"


def test_a_retired_challenger_is_sent_no_bytes(registry: Registry) -> None:
    old = registry.write("old", 600)
    registry.deploy(old, role="shadow")
    for number in range(5):
        registry.write(str(number), -1)
    registry.store.activate("fraud", "1", old, role="shadow", retired=True)
    assert registry.names("artifact_again", "id") == []


def test_a_snapshot_carries_the_history_of_roles_and_the_newest_artifacts_and_no_more(registry: Registry) -> None:
    digests = [registry.write(str(number), 1_000 - number) for number in range(30)]
    for digest in digests[:20]:
        registry.deploy(digest)
    registry.deploy(digests[0], role="shadow")
    assert registry.names("wanted_activation", "deployment_seq") == list(range(21 - HISTORY, 22))
    assert registry.names("wanted_artifact", "digest") == sorted(
        {digests[0], *digests[20 - HISTORY : 20], *digests[26:]}
    )
