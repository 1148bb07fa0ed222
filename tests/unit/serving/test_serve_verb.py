"""``weir serve`` in a process of its own: where it listens, what it refuses, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys

import httpx
import pytest
from pydantic import SecretStr

from connectors.local.ports import Ports
from jobs.serving.run_server import run_server
from jobs.serving.serving_mark import ServingMark
from jobs.serving.serving_settings import check_host, plan_of
from jobs.settings import Settings
from tests.e2e.local import MAIN, ROOT
from tests.e2e.scoring import wait_for
from udfs.domain.errors import SettingsError


@pytest.fixture
def start(tmp_path):
    """Return a function that starts ``weir serve`` where neither Kafka nor a database is."""
    started = []

    def run(*arguments: str, **settings: str) -> subprocess.Popen[str]:
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        environment = inherited | {"WEIR_HOME": str(tmp_path), "WEIR_PORT_BASE": "63900"} | settings
        words = [sys.executable, "-c", MAIN, "serve", *arguments]
        process = subprocess.Popen(
            words, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_it_lives_without_kafka_says_that_it_is_not_ready_and_ends_cleanly(start, tmp_path):
    port = free_port()
    process = start("--port", str(port), "--json")
    address = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")["address"]
    assert address == f"http://127.0.0.1:{port}"

    def health() -> httpx.Response | None:
        try:
            return httpx.get(f"{address}/v1/health", trust_env=False)
        except httpx.TransportError:
            return None

    assert wait_for("it answers", health, 60).json()["status"] == "alive"
    ready = httpx.get(f"{address}/v1/ready", trust_env=False)
    assert (ready.status_code, ready.json()["reason"], ready.headers["retry-after"]) == (503, "not_ready", "1")
    mark = ServingMark.read(tmp_path)
    assert mark is not None
    assert (mark.address, mark.pid, mark.state) == (address, process.pid, "starting")
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (0, "")
    assert mark.state == "stopped"
    assert ServingMark.read(tmp_path) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_other_machines_are_not_let_in_without_a_token(host):
    with pytest.raises(SettingsError, match="WEIR_API_TOKEN"):
        check_host(host, Settings())
    check_host(host, Settings(api_token=SecretStr("s3cret")))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_needs_no_token(host):
    check_host(host, Settings())


def test_a_port_that_is_taken_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"port {port}"):
            run_server(plan_of(Settings()), "127.0.0.1", port, tmp_path, pytest.fail)


def test_passwords_and_token_are_in_no_repr():
    plan = plan_of(Settings(api_token=SecretStr("s3cret"), postgres_password=SecretStr("hidden")))
    assert "s3cret" not in repr(plan)
    assert "hidden" not in repr(plan)


def test_the_usual_port_is_one_of_the_stacks():
    assert Ports(19_000).addresses()["api"] == "http://127.0.0.1:19080"
