"""The job, the tools and Connect against a broker that asks for TLS and a password (SASL_SSL, SCRAM-SHA-512).

Two brokers and a stack are much for a small machine: ``WEIR_SECURED_KAFKA=1 make e2e ARGS="-k secured"`` runs it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import orjson
import psutil
import pytest
import requests
from kafka import KafkaProducer
from pydantic import SecretStr

from connectors.kafka.address import Address, client_options
from connectors.kafka.producer import Producer
from connectors.kafka.reader import end_offsets, read_topic
from connectors.local.jars import Jars
from connectors.local.java import java_home
from connectors.local.kafka_connect import KafkaConnect
from connectors.local.running_process import RunningProcess
from jobs.kafka_address import kafka_address
from jobs.settings import Settings
from jobs.submission import stop_job, submit_job
from tests.allowed_skips import NO_SECOND_BROKER
from tests.e2e.local import free_port_base
from tests.e2e.models import stream, trained, without_truths
from tests.e2e.scoring import Scoring, wait_for
from tests.e2e.secured_kafka import PASSWORD, USER, SecuredKafka, running
from udfs.domain.errors import ConnectionLostError

ROWS = 200
pytestmark = pytest.mark.skipif("WEIR_SECURED_KAFKA" not in os.environ, reason=NO_SECOND_BROKER)


@dataclass
class Story:
    """What happened before the tests look at it."""

    job: Scoring
    settings: Settings
    kafka: SecuredKafka
    inferences: list[dict[str, Any]]


@pytest.fixture(scope="module")
def story(scoring, tmp_path_factory) -> Iterator[Story]:
    """The registry's rows are copied to the secured broker; the job reads and writes there and nowhere else."""
    scoring.deploy(trained(1), "1")
    home = tmp_path_factory.mktemp("secured")
    settings = scoring.settings.model_copy(
        update={
            "kafka_bootstrap": "",
            "kafka_security_protocol": "SASL_SSL",
            "kafka_ca_file": home / "ca.pem",
            "kafka_username": USER,
            "kafka_password": SecretStr(PASSWORD),
        }
    )
    with running(SecuredKafka(home, free_port_base() + 92, Jars(settings.cache))) as kafka:
        settings = settings.model_copy(update={"kafka_bootstrap": str(kafka.address)})
        wait_for("the activation is carried", lambda: b'"model":"%b"' % scoring.model.encode() in last_row(scoring))
        producer = KafkaProducer(**client_options(kafka.address), max_request_size=17_000_000)
        for record in scoring.records("weir.metadata"):
            producer.send("weir.metadata", key=record.key, value=record.value)
        producer.flush()
        producer.close()
        scoring.job_id = submit_job(scoring.stack, settings, timeout_s=300)
        Producer(kafka_address(settings), close=True).run(without_truths(stream(ROWS)))
        wait_for("all are scored", lambda: sum(1 for _ in read_topic(kafka.address, "inferences")) == ROWS, 300)
        inferences = [orjson.loads(record.value or b"") for record in read_topic(kafka.address, "inferences")]
        yield Story(scoring, settings, kafka, inferences)
        stop_job(scoring.stack)


def last_row(scoring: Scoring) -> bytes:
    return (scoring.records("weir.metadata")[-1].value or b"").replace(b" ", b"")


def test_the_job_reads_and_writes_over_tls_with_a_password(story):
    assert len({each["transaction_id"] for each in story.inferences}) == ROWS
    assert all(each["score"] is not None for each in story.inferences)
    assert story.job.records("inferences") == []


def test_who_has_no_password_or_another_authority_gets_nothing(story):
    address = story.kafka.address
    wrong = Address(str(address), replace(address.security, password="guess"))
    for other in (str(address), wrong):
        with pytest.raises(ConnectionLostError) as refused:
            end_offsets(other, "inferences")
        assert PASSWORD not in str(refused.value)


def test_the_password_is_in_a_file_of_its_owner_and_on_no_page_or_command_line(story):
    base = story.job.stack.ports.addresses()["flink"]
    with requests.Session() as session:
        session.trust_env = False
        paths = (
            f"/jobs/{story.job.job_id}/config",
            f"/jobs/{story.job.job_id}",
            "/jobmanager/log",
            "/jobmanager/config",
        )
        pages = [session.get(f"{base}{path}", timeout=10).text for path in paths]
    assert not any(PASSWORD in page for page in pages)
    named = story.settings.home / "flink" / "secrets" / "kafka.properties"
    assert named.read_text() == f"password={PASSWORD}\n"
    assert named.stat().st_mode & 0o077 == 0
    lines = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    assert any("kafka.Kafka" in line for line in lines)
    assert not any(PASSWORD in line for line in lines)
    for log in (story.settings.home / "logs").glob("*.log"):
        assert PASSWORD not in log.read_text(errors="replace"), log


def test_connect_keeps_its_topics_there(story, tmp_path):
    port = free_port_base() + 83
    connect = KafkaConnect(
        tmp_path, port, story.kafka.address, Jars(story.settings.cache), java_home(), "unused", lambda _: None
    )
    connect.prepare()
    process = RunningProcess(connect.command(), connect.log, "secured-connect")
    try:
        deadline = time.monotonic() + 120
        while not connect.ready():
            assert process.exit_code() is None, connect.log.read_text()[-2_000:]
            assert time.monotonic() < deadline, connect.log.read_text()[-2_000:]
            time.sleep(0.3)
    finally:
        process.kill()
    assert set(end_offsets(story.kafka.address, "weir.connect.config")) == {0}
    assert PASSWORD not in connect.log.read_text()
    assert PASSWORD not in (tmp_path / "connect" / "worker.properties").read_text()
