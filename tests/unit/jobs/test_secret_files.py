from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from jobs.settings import Settings
from udfs.domain.errors import SettingsError


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    return tmp_path / "secret"


def test_a_secret_is_read_from_the_file_that_is_named(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret.write_text(" it's a \\ pass%word\n")
    monkeypatch.setenv("WEIR_POSTGRES_PASSWORD_FILE", str(secret))
    settings = Settings()
    assert settings.postgres_password.get_secret_value() == " it's a \\ pass%word"
    assert settings.s3_secret_key.get_secret_value() == "weir-local-secret"


def test_what_is_given_in_code_comes_first(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret.write_text("from the file")
    monkeypatch.setenv("WEIR_S3_SECRET_KEY_FILE", str(secret))
    assert Settings(s3_secret_key=SecretStr("given")).s3_secret_key.get_secret_value() == "given"


def test_both_ways_at_once_are_refused(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret.write_text("from the file")
    monkeypatch.setenv("WEIR_POSTGRES_PASSWORD_FILE", str(secret))
    monkeypatch.setenv("WEIR_POSTGRES_PASSWORD", "from the environment")
    with pytest.raises(SettingsError, match="both set") as refused:
        Settings()
    assert "from the" not in str(refused.value)


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"])
def test_a_file_without_a_secret_is_refused(
    content: bytes | None, secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content is not None:
        secret.write_bytes(content)
    monkeypatch.setenv("WEIR_POSTGRES_PASSWORD_FILE", str(secret))
    with pytest.raises(SettingsError, match="WEIR_POSTGRES_PASSWORD_FILE names"):
        Settings()


def test_only_secrets_are_read_from_files(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret.write_text("8")
    monkeypatch.setenv("WEIR_PARALLELISM_FILE", str(secret))
    assert Settings().parallelism == 2


def test_no_secret_shows_when_settings_are_printed_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIR_POSTGRES_PASSWORD", "hush-hush")
    assert "hush-hush" not in f"{Settings()!r} {Settings()}"
    monkeypatch.setenv("WEIR_PARALLELISM", "many")
    with pytest.raises(SettingsError) as refused:
        Settings()
    assert "hush-hush" not in str(refused.value)
