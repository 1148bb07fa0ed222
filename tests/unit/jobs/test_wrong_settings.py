"""Whichever setting is wrong: one sentence that names it, exit code 2, and no secret anywhere. Generated from the schema."""

from __future__ import annotations

import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from jobs import cli
from jobs.settings import Settings
from jobs.wrong_settings import is_secret
from udfs.domain.errors import SettingsError

FIELDS = Settings.model_fields
SECRETS = sorted(name for name, field in FIELDS.items() if is_secret(field))
HUSH = "s3cr3t-of-ours"
GOOD_SECRETS = {
    "WEIR_API_TOKEN": HUSH,
    "WEIR_POSTGRES_PASSWORD": HUSH,
    "WEIR_S3_SECRET_KEY": HUSH,
    "WEIR_KAFKA_PASSWORD": HUSH,
    "WEIR_WEBHOOK_SECRET": HUSH * 3,
}
NOT_FOR_TEXT = {
    "postgres_host": ["two words", ""],
    "s3_endpoint": ["ftp://s3", f"https://weir:{HUSH}@s3.example.com", "s3.example.com"],
    "s3_access_key": ["", "two words"],
    "kafka_bootstrap": ["localhost", "k:9092;k2:9092", f"weir:{HUSH}@kafka:9092"],
    "kafka_username": ['a"b', "a$b"],
    "trusted_keys": ["abc", "zz" * 32],
    "model": ["", "a/b", "a:b"],
}
NOT_FOR_FOLDERS = ["", "a\nb", __file__]
NOT_FOR_SECRETS = {
    "postgres_password": ["", f"{HUSH}\nmore"],
    "s3_secret_key": ["", f"{HUSH}\nmore"],
    "kafka_password": ["", f"{HUSH}\x01"],
    "signing_key": ["", HUSH, f"-----BEGIN PRIVATE KEY-----\n{HUSH}\n-----END PRIVATE KEY-----"],
    "webhook_secret": [HUSH, f"whsec_{HUSH}!"],
    "api_token": ["", f"{HUSH} two", f"{HUSH}é"],
}


def kinds(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a setting may be, each a schema of its own."""
    return [each for part in schema.get("anyOf", [schema]) for each in [part] if each.get("type") != "null"]


def wrong_values(name: str, schema: dict[str, Any]) -> list[str]:
    """Return texts that a setting must refuse."""
    if name in NOT_FOR_SECRETS:
        return NOT_FOR_SECRETS[name]
    (kind,) = kinds(schema)
    if "enum" in kind:
        return ["", "neither", str(kind["enum"][0]).swapcase()]
    if kind["type"] == "boolean":
        return ["", "maybe", "2"]
    if kind["type"] in ("integer", "number"):
        least = kind.get("minimum", kind.get("exclusiveMinimum"))
        most = kind.get("maximum", kind.get("exclusiveMaximum", 10**30))
        return ["", "many", "1,5", "nan", "inf", str(least - 1), str(most + 1), "1" + "0" * 400]
    if kind.get("format") == "file-path" or name in ("postgres_root_cert", "kafka_ca_file"):
        return ["/nope", "/", ""]
    if kind.get("format") == "path":
        return [] if name == "kafka_job_secrets" else NOT_FOR_FOLDERS  # that one lies on other machines
    return NOT_FOR_TEXT[name]


CASES = [
    (name, value)
    for name, schema in Settings.model_json_schema()["properties"].items()
    for value in wrong_values(name, schema)
]


def refused(name: str) -> SettingsError:
    with pytest.raises(SettingsError) as found:
        Settings()
    text = "".join(traceback.format_exception(found.value))
    assert HUSH not in text
    assert f"WEIR_{name.upper()}" in str(found.value)
    return found.value


@pytest.mark.parametrize(("name", "value"), CASES)
def test_a_wrong_value_is_refused_by_name_and_shows_no_secret(name, value, monkeypatch):
    for variable, secret in GOOD_SECRETS.items():
        monkeypatch.setenv(variable, secret)
    monkeypatch.setenv(f"WEIR_{name.upper()}", value)
    error = refused(name)
    assert error.__cause__ is None
    assert error.__context__ is None
    assert "\n" not in str(error).replace("\\n", "")


def test_every_setting_but_one_can_be_wrong():
    assert set(FIELDS) - {name for name, _ in CASES} == {"kafka_job_secrets"}
    assert len(SECRETS) == len(NOT_FOR_SECRETS)


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"WEIR_PARALLELISM": "9"}, "parallelism"),
        ({"WEIR_QUALITY_ROLLING_MS": "90000000"}, "quality_rolling_ms"),
        ({"WEIR_LABEL_MATURITY_DAYS": "119"}, "label_maturity_days"),
        ({"WEIR_KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "kafka_username"),
        ({"WEIR_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "WEIR_KAFKA_USERNAME": ""}, "kafka_security_protocol"),
    ],
)
def test_settings_that_contradict_each_other_show_no_secret(variables, name, monkeypatch):
    for variable, value in (GOOD_SECRETS | variables).items():
        monkeypatch.setenv(variable, value)
    refused(name)


def test_each_of_several_wrong_settings_is_named(monkeypatch):
    monkeypatch.setenv("WEIR_ORDER", "none")
    monkeypatch.setenv("WEIR_BATCH_MS", "0")
    assert "WEIR_ORDER is 'none'" in str(refused("batch_ms"))


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_what_is_shown_of_a_value_is_one_short_line(value):
    with pytest.raises(SettingsError) as found:
        Settings(order=value)
    assert len(str(found.value)) < 500
    assert str(found.value).isprintable()


ARGUMENTS = {
    "scale": ["2"],
    "features": ["list"],
    "promote": ["nope", "1"],
    "rollback": ["nope"],
    "compare": ["1", "2"],
    "backtest": ["nope", "1"],
    "threshold": ["nope", "1"],
    "reproduce": ["nope", "1"],
    "explain": ["nope"],
    "erase": ["nope"],
    "produce": ["--rows", "10"],
    "train": ["--rows", "0:50"],
    "retrain": ["--once"],
    "notify": ["--webhook", "http://127.0.0.1:1/"],
}
NEEDS_NO_STACK = {"down", "status", "up", "demo", "serve"}


def run(verb: str, *arguments: str) -> Any:
    """Run a verb as the command line does; what it raises is what a person would see as a traceback."""
    return CliRunner().invoke(cli.app, [verb, *ARGUMENTS.get(verb, []), *arguments])


def outside(verb: str, folder) -> list[str]:
    """Return the arguments of verbs that write where they are told."""
    if verb == "backfill":
        return ["--data", "generator", "--features", "nope", "--out", str(folder / "f.parquet")]
    return [str(folder / "r")] if verb == "report" else []


def is_sentence(result: Any) -> bool:
    """Tell whether a verb ended with one sentence on stderr and exit code 2, as a mistake does."""
    lines = result.stderr.strip().splitlines()
    return isinstance(result.exception, SystemExit) and result.exit_code == 2 and lines[-1].startswith("weir: ")


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_says_in_a_sentence_which_setting_is_wrong(verb, monkeypatch, tmp_path):
    monkeypatch.setenv("WEIR_API_TOKEN", HUSH)
    monkeypatch.setenv("WEIR_PARALLELISM", "9")
    monkeypatch.setenv("WEIR_HOME", str(tmp_path / "home"))
    result = run(verb, *outside(verb, tmp_path))
    assert is_sentence(result), result.output
    assert "WEIR_PARALLELISM is 9" in result.stderr
    assert HUSH not in result.output


@pytest.mark.parametrize("verb", [verb for verb in cli.VERBS if verb not in NEEDS_NO_STACK])
def test_every_verb_says_in_a_sentence_that_the_stack_is_down(verb, monkeypatch, tmp_path):
    monkeypatch.setattr("connectors.kafka.consumer.CONNECT_MS", 300)  # of ten seconds; nobody will answer
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("WEIR_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WEIR_PORT_BASE", "63900")  # above what the kernel hands out
    monkeypatch.setenv("WEIR_WEBHOOK_SECRET", HUSH * 3)
    result = run(verb, *outside(verb, tmp_path))
    assert is_sentence(result), result.output
    assert any(word in result.stderr for word in ("weir status", "weir up")), result.stderr


def test_a_verb_nobody_knows_is_a_mistake():
    assert run("nope").exit_code == 2
