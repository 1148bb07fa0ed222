"""A real PostgreSQL as the stack starts it, in a folder that only its owner can enter: root takes the way outside."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from connectors.local.postgres import Postgres
from connectors.postgres.metadata_store import MetadataStore
from connectors.postgres.migrations import install_alias_trigger

# MLflow's tables as its migrations leave them (3.17), as far as the alias trigger looks at them.
MLFLOW_TABLES = """
CREATE TABLE public.registered_models (workspace varchar(63) DEFAULT 'default', name varchar(256),
    PRIMARY KEY (workspace, name));
CREATE TABLE public.model_version_tags (workspace varchar(63) NOT NULL DEFAULT 'default', name varchar(256) NOT NULL,
    version int NOT NULL, key varchar(250) NOT NULL, value text, PRIMARY KEY (workspace, key, name, version));
CREATE TABLE public.registered_model_aliases (workspace varchar(63) NOT NULL DEFAULT 'default',
    name varchar(256) NOT NULL, alias varchar(256) NOT NULL, version int NOT NULL, PRIMARY KEY (workspace, name, alias),
    FOREIGN KEY (workspace, name) REFERENCES public.registered_models ON UPDATE CASCADE ON DELETE CASCADE);
"""


def run(postgres: Postgres) -> subprocess.Popen[bytes]:
    """Start it as the supervisor does and wait until it answers."""
    postgres.prepare()
    command = postgres.command()
    account = pwd.getpwnam(command.user) if command.user else None
    with postgres.log.open("ab") as log:
        process = subprocess.Popen(
            command.argv,
            cwd=command.cwd,
            env=dict(command.env),
            stdout=log,
            stderr=log,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )
    deadline = time.monotonic() + 30
    while not postgres.ready():
        assert process.poll() is None, postgres.log.read_text()
        assert time.monotonic() < deadline, postgres.log.read_text()
        time.sleep(0.02)
    postgres.set_up()
    return process


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    home = tmp_path_factory.mktemp("closed")
    home.chmod(0o700)
    component = Postgres(home, free_port(), "it's a \\ pass%word")
    process = run(component)
    yield component
    process.send_signal(signal.SIGINT)
    process.wait(20)
    component.purge()


@pytest.fixture
def dsn(postgres: Postgres) -> str:
    """A registry without rows, with MLflow's tables as MLflow's own role made them."""
    with psycopg.connect(postgres.dsn, autocommit=True) as connection:
        connection.execute("DROP SCHEMA weir CASCADE")
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    postgres.set_up()
    with psycopg.connect(postgres.dsn_for("mlflow"), autocommit=True) as connection:
        connection.execute(MLFLOW_TABLES)
    return postgres.dsn


class AsMlflow:
    """What MLflow does to its tables when somebody uses its page, as MLflow's own role."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        connection.execute("INSERT INTO registered_models (name) VALUES ('fraud')")

    def tag(self, version: int, **tags: str) -> None:
        for key, value in tags.items():
            self.connection.execute(
                "INSERT INTO model_version_tags (name, version, key, value) VALUES ('fraud', %s, %s, %s)"
                " ON CONFLICT (workspace, key, name, version) DO UPDATE SET value = excluded.value",
                (version, f"weir.{key}", value),
            )

    def alias(self, alias: str, version: int) -> None:
        self.connection.execute(
            "INSERT INTO registered_model_aliases (name, alias, version) VALUES ('fraud', %s, %s)"
            " ON CONFLICT (workspace, name, alias) DO UPDATE SET version = excluded.version",
            (alias, version),
        )

    def delete_version(self, version: int) -> None:
        """As MLflow deletes a version: its aliases go, the row stays and is shown no more."""
        self.connection.execute("DELETE FROM registered_model_aliases WHERE version = %s", (version,))

    def unalias(self, alias: str) -> None:
        self.connection.execute("DELETE FROM registered_model_aliases WHERE alias = %s", (alias,))


@pytest.fixture
def mlflow(dsn: str, postgres: Postgres) -> Iterator[AsMlflow]:
    install_alias_trigger(dsn)
    install_alias_trigger(dsn)
    with psycopg.connect(postgres.dsn_for("mlflow"), autocommit=True) as connection:
        yield AsMlflow(connection)


@pytest.fixture
def store(dsn: str) -> MetadataStore:
    return MetadataStore(dsn)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def only_root(folder: Path) -> bool:
    return os.geteuid() == 0 and folder.stat().st_mode & 0o077 == 0
