from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from connectors.local import postgres as module
from connectors.local.postgres import Postgres
from connectors.postgres.metadata_store import MetadataStore
from connectors.postgres.role_password import role_password
from jobs.registry_access import dsn_of
from jobs.settings import Settings
from tests.allowed_skips import NOT_ROOT
from tests.e2e.secured_kafka import write_certificates
from tests.unit.postgres.conftest import free_port, run
from udfs.domain.errors import ConnectionLostError

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason=NOT_ROOT)


def test_rows_survive_a_kill_and_a_lock_file_whose_number_is_another_process(tmp_path: Path) -> None:
    component = Postgres(tmp_path / "home", free_port(), "pw")
    process = run(component)
    try:
        digest = MetadataStore(component.dsn).insert_artifact(b"kept")
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        lock = component._data / "postmaster.pid"
        lines = lock.read_text().splitlines()
        lock.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
        process = run(component)
        assert MetadataStore(component.dsn).load_artifact(digest) == b"kept"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
        component.purge()
    assert not component._base.exists()


def test_preparing_a_running_server_leaves_its_lock_file_alone(postgres: Postgres) -> None:
    postgres.prepare()
    assert (postgres._data / "postmaster.pid").exists()


def test_an_interrupted_initdb_is_not_taken_for_a_database(tmp_path: Path) -> None:
    component = Postgres(tmp_path / "home", free_port(), "pw")
    (component._base / "initdb" / "data").mkdir(parents=True)
    (component._base / "initdb" / "data" / "PG_VERSION").write_text("18")
    try:
        component.prepare()
        assert (component._data / "global" / "pg_control").exists()
        assert not (component._base / "initdb").exists()
    finally:
        component.purge()


@needs_root
def test_a_home_closed_to_others_gets_its_data_outside_and_purge_removes_it(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o700)
    component = Postgres(tmp_path / "home", free_port(), "pw")
    assert component._base.parent == module.OUTSIDE
    component.prepare()
    assert Postgres(tmp_path / "home", free_port(), "pw")._base == component._base
    component.purge()
    assert not component._base.exists()


@needs_root
def test_binaries_in_a_closed_folder_are_copied_to_where_the_account_can_run_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "venv"
    closed.mkdir(mode=0o700)
    package = module._wheel_folder()
    hidden = closed / package.name
    shutil.copytree(package / module.SERVER, hidden / module.SERVER)
    shutil.copytree(package.with_name(f"{package.name}.libs"), closed / f"{package.name}.libs")
    monkeypatch.setattr(module, "_wheel_folder", lambda: hidden)
    component = Postgres(tmp_path / "home", free_port(), "pw")
    process = run(component)
    try:
        assert component.command().argv[0].startswith(str(component._base))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
        component.purge()


def test_a_wrong_password_is_one_sentence(postgres: Postgres) -> None:
    stranger = MetadataStore(psycopg.conninfo.make_conninfo(postgres.dsn, password="guess"))
    with pytest.raises(ConnectionLostError, match="password authentication failed"):
        stranger.last_deployment_seq()


def test_the_password_is_on_no_command_line(postgres: Postgres) -> None:
    assert not any("pass%word" in part for part in postgres.command().argv)


def test_roles_may_do_only_what_their_program_needs(dsn: str, postgres: Postgres) -> None:
    for role in ("mlflow", "debezium"):
        with psycopg.connect(postgres.dsn_for(role)) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("INSERT INTO weir.model_artifact VALUES ('0', 0, 1, 'x')")


def test_the_publication_holds_what_the_gate_reads_and_no_more(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("SELECT tablename FROM pg_publication_tables WHERE pubname = 'weir_metadata'")
        assert {row[0] for row in rows} == {
            "model_artifact",
            "artifact_again",
            "model_activation",
            "feature_definition",
        }


def test_tls_that_is_asked_for_is_not_given_up(postgres: Postgres, tmp_path: Path) -> None:
    """The wheel's server has no TLS: who insists on it, or on a certificate, must not be answered in plain text."""
    settings = Settings(
        postgres_password=SecretStr(postgres._password), postgres_port=postgres._port, postgres_sslmode="prefer"
    )
    assert MetadataStore(dsn_of(settings)).last_deployment_seq() >= 0
    write_certificates(tmp_path)
    for mode, certificate in (("require", None), ("verify-full", tmp_path / "ca.pem")):
        strict = settings.model_copy(update={"postgres_sslmode": mode, "postgres_root_cert": certificate})
        with pytest.raises(ConnectionLostError, match="server does not support SSL"):
            MetadataStore(dsn_of(strict)).last_deployment_seq()


def test_each_role_has_a_password_of_its_own(postgres: Postgres) -> None:
    for role in ("mlflow", "debezium", "notifier"):
        psycopg.connect(postgres.dsn_for(role)).close()
        for password in (postgres._password, role_password(postgres._password, "another")):
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                psycopg.connect(psycopg.conninfo.make_conninfo(postgres.dsn_for(role), password=password))
