"""No secret is in a log, an open file, a REST answer or a command line. Environments of processes may hold one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from connectors.connect import CONNECTOR
from connectors.postgres.metadata_store import MetadataStore
from connectors.postgres.role_password import role_password
from jobs.registry_access import metadata_store_of
from tests.e2e.models import stream, trained, without_truths
from tests.e2e.scoring import Scoring

ROWS = 200


@pytest.fixture(scope="module")
def job(local) -> Iterator[Scoring]:
    """A job that takes signed versions only has scored something; a connector has carried something."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes_raw().hex()
    scoring = Scoring(local, "test_secrets", trusted_keys=public, signing_key=SecretStr(private))
    scoring.store = metadata_store_of(scoring.settings)
    scoring.deploy(trained(91), "signed")  # a seed of its own: bytes are written once, with or without signature
    unsigned = MetadataStore(scoring.dsn).insert_artifact(trained(92))
    scoring.submit()
    scoring.wait_for_event("activated", "signed")
    scoring.store.activate(scoring.model, "unsigned", unsigned, who="e2e", why="test")
    scoring.wait_for_event("rejected", "unsigned")
    scoring.produce(without_truths(stream(ROWS)), close=True)
    scoring.wait_for_sum(ROWS + 4)
    yield scoring
    scoring.stop()


@pytest.fixture(scope="module")
def secrets(job) -> dict[str, str]:
    settings = job.settings
    owner = settings.postgres_password.get_secret_value()
    roles = {role: role_password(owner, role) for role in ("mlflow", "debezium")}
    assert settings.signing_key is not None
    signing = settings.signing_key.get_secret_value().splitlines()[1]
    return {"owner": owner, **roles, "s3": settings.s3_secret_key.get_secret_value(), "signing": signing}


def found_in(text: str, secrets: dict[str, str]) -> set[str]:
    return {name for name, secret in secrets.items() if secret in text}


def get(url: str) -> str:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, timeout=10).text


def flink_answers(job) -> Iterator[tuple[str, str]]:
    """Everything Flink's page can show of the cluster and of the job."""
    base = job.stack.ports.addresses()["flink"]
    paths = ["/config", "/jobmanager/config", "/jobmanager/environment", "/jobmanager/log", "/jobs/overview"]
    paths += [f"/jobs/{job.job_id}{end}" for end in ("", "/config", "/plan", "/exceptions", "/checkpoints/config")]
    for each in job.flink.taskmanagers():
        paths += [f"/taskmanagers/{each['id']}{end}" for end in ("", "/log", "/stdout")]
    for path in paths:
        yield path, get(base + path)


def test_the_gate_takes_what_is_signed_and_nothing_else(job):
    (refused,) = job.model_events("rejected")
    assert refused["version"] == "unsigned"
    assert refused["reason"].startswith("signature: ")
    assert {each["version"] for each in job.messages("inferences")} == {"signed"}


def test_flinks_page_shows_no_secret(job, secrets):
    answers = dict(flink_answers(job))
    assert len(answers) > 12
    assert {path: found_in(text, secrets) for path, text in answers.items() if found_in(text, secrets)} == {}
    # Flink's environment page tells the JVM's options and the class path; what it told must have been whole.
    assert "classpath" in answers["/jobmanager/environment"]


def test_connect_tells_the_file_of_the_password_and_not_the_password(job, secrets):
    base = job.stack.ports.addresses()["connect"]
    paths = [
        "/connectors?expand=info&expand=status",
        f"/connectors/{CONNECTOR}/config",
        f"/connectors/{CONNECTOR}/tasks",
    ]
    text = "".join(get(base + path) for path in paths)
    assert "database.password" in text
    assert found_in(text, secrets) == set()
    records = [record.value or b"" for record in job.records("weir.connect.config")]
    assert any(b"database.password" in value for value in records)
    assert found_in(b"".join(records).decode("utf-8", "replace"), secrets) == set()


def test_connect_may_read_no_file_but_those_of_its_secrets(job):
    base = job.stack.ports.addresses()["connect"]
    config = {
        **json.loads(get(f"{base}/connectors/{CONNECTOR}/config")),
        "slot.name": "${file:/etc/hostname:127.0.0.1}",
    }
    with requests.Session() as session:
        session.trust_env = False
        kind = config["connector.class"].rpartition(".")[2]
        answer = session.put(f"{base}/connector-plugins/{kind}/config/validate", json=config, timeout=30)
    hostname = Path("/etc/hostname").read_text().strip()
    assert not hostname or hostname not in answer.text


def test_no_log_and_no_file_that_others_may_read_holds_a_secret(job, secrets):
    looked_at = 0
    home = job.stack.home
    found: dict[str, set[str]] = {}
    for path in home.rglob("*"):
        if not path.is_file() or path.is_symlink() or path.stat().st_size > 64_000_000:
            continue
        if (path.stat().st_mode & 0o077 and not path.is_relative_to(home / "postgres")) or path.suffix == ".log":
            looked_at += 1
            content = path.read_bytes()
            # Our own source, packed or not, names the local stack's default passwords: no secrets.
            source = content.startswith(b"PK") or path.match("jobs/settings.py")
            if not source and (here := found_in(content.decode("utf-8", "replace"), secrets)):
                found[str(path)] = here
    assert looked_at > 20
    assert found == {}


def test_no_command_line_holds_a_secret(job, secrets):
    lines = {}
    for process in psutil.process_iter():
        try:
            lines[process.pid] = " ".join(process.cmdline())
        except psutil.Error:
            continue
    assert any("ConnectDistributed" in line for line in lines.values())
    mine = {str(process.pid) for process in psutil.Process().children(recursive=True)} | {str(os.getpid())}
    assert {pid: line for pid, line in lines.items() if found_in(line, secrets) and str(pid) not in mine} == {}


def test_no_transaction_is_in_a_log(job):
    """Neither a message nor a part of one: ids of customers are personal data."""
    known = [f'"{each["transaction_id"]}"' for each in stream(ROWS).transactions()]
    for log in (job.stack.home / "logs").glob("*.log"):
        text = log.read_text(errors="replace")
        assert '"customer_id"' not in text, log
        assert not any(f'"transaction_id":{each}' in text for each in known), log


def test_flink_listens_on_this_machine_only(job):
    ports = {job.stack.ports.flink, job.stack.ports.flink_rpc}
    listening = {
        each.laddr.ip
        for each in psutil.net_connections("tcp")
        if each.status == psutil.CONN_LISTEN and each.laddr.port in ports
    }
    assert listening <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}
    assert listening
