from __future__ import annotations

from pathlib import Path

import pytest

from connectors.local.accounts import Account, reachable_by
from connectors.local.http_probe import answers
from connectors.local.jars import Jars
from connectors.local.locked_jar import LockedJar
from connectors.local.mlflow import Mlflow
from connectors.local.postgres import Postgres
from connectors.local.s3 import S3Proxy
from connectors.postgres.role_password import role_password

SECRET = r"p\ass:w=@/%"


@pytest.fixture
def s3(tmp_path: Path) -> S3Proxy:
    locked = LockedJar("org.gaul:s3proxy:3.0.0:jar:jar-with-dependencies", "0" * 64, 1, ("s3",))
    return S3Proxy(tmp_path, 1, "key", SECRET, Jars(tmp_path / "cache", [locked]), tmp_path / "java")


def test_no_secret_is_on_a_command_line(s3: S3Proxy, tmp_path: Path) -> None:
    mlflow = Mlflow(tmp_path, 2, Postgres(tmp_path, 3, SECRET), s3)
    for component in (s3, mlflow):
        component.prepare()
        secrets = (SECRET, "p%5Cass", role_password(SECRET, "mlflow"))
        assert not any(secret in part for part in component.command().argv for secret in secrets)


def test_s3_keeps_its_secret_in_a_file_of_its_owner_escaped_for_java(s3: S3Proxy, tmp_path: Path) -> None:
    s3.prepare()
    properties = tmp_path / "s3" / "s3proxy.properties"
    assert properties.stat().st_mode & 0o077 == 0
    assert r"s3proxy.credential=p\\ass:w=@/%" in properties.read_text().splitlines()


def test_clients_of_s3_are_told_not_to_send_checksums(s3: S3Proxy) -> None:
    assert s3.client_env["AWS_REQUEST_CHECKSUM_CALCULATION"] == "WHEN_REQUIRED"
    assert s3.client_env["AWS_RESPONSE_CHECKSUM_VALIDATION"] == "WHEN_REQUIRED"


def test_mlflow_runs_one_worker_and_calls_nobody(s3: S3Proxy, tmp_path: Path) -> None:
    command = Mlflow(tmp_path, 2, Postgres(tmp_path, 3, SECRET), s3).command()
    assert command.argv[command.argv.index("--workers") + 1] == "1"
    assert command.argv[command.argv.index("--host") + 1] == "127.0.0.1"
    assert command.env["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert command.env["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    assert command.env["MLFLOW_BACKEND_STORE_URI"] == (
        f"postgresql+psycopg://mlflow:{role_password(SECRET, 'mlflow')}@127.0.0.1:3/weir"
    )


def test_an_account_reaches_a_file_only_through_folders_it_may_enter(tmp_path: Path) -> None:
    stranger = Account("stranger", 54_321, 54_321)
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    for parent in (folder, folder.parent, tmp_path):
        parent.chmod(0o755)
    open_above = all(parent.stat().st_mode & 1 for parent in tmp_path.parents)
    assert reachable_by(folder, stranger) == open_above
    folder.parent.chmod(0o700)
    assert not reachable_by(folder, stranger)
    assert not reachable_by(folder / "missing", stranger)


def test_nobody_listening_is_no_answer() -> None:
    assert not answers("http://127.0.0.1:1/health")
