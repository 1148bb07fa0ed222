"""Loopback is reached without the proxies of the environment, and nobody's ``.netrc`` is sent anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import orjson
import pytest

from connectors.connect import connector_state
from connectors.local.flink_rest import FlinkRest
from connectors.local.http_probe import answers
from connectors.local.port_check import is_free
from connectors.local.ports import Ports
from connectors.loopback import HERE, keep_to_ourselves
from connectors.webhook.signature import Signature
from connectors.webhook.webhook import Webhook

ROOT = Path(__file__).parents[3]
ANSWER = {
    "jobs": [],
    "connector": {"state": "RUNNING"},
    "tasks": [{"state": "RUNNING"}],
    "registered_model": {"name": "fraud", "aliases": []},
    "model_versions": [],
}


class Server(ThreadingHTTPServer):
    """An HTTP server that answers everything with one document and keeps what it was asked."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.asked: list[tuple[str, str | None]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        body = orjson.dumps(ANSWER)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = answer

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    """A proxy that all of the environment's variables name, and a ``.netrc`` for this machine."""
    server = Server()
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, server.address)
        monkeypatch.setenv(name.lower(), server.address)
    for name in ("NO_PROXY", "no_proxy", "NETRC", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    netrc = tmp_path / ".netrc"
    netrc.write_text("".join(f"machine {host} login me password foreign\n" for host in (*HERE, "example.com")))
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def here() -> Iterator[Server]:
    server = Server()
    yield server
    server.shutdown()
    server.server_close()


ASK = {
    "flink": lambda url: FlinkRest(url).jobs() == [],
    "connect": lambda url: connector_state(url) == "RUNNING",
    "probe": answers,
    "webhook": lambda url: Webhook(url, Signature("x" * 30), 5).deliver("a", {}).taken,
    "webhook by name": lambda url: (
        Webhook(url.replace("127.0.0.1", "localhost"), Signature("x" * 30), 5).deliver("a", {}).taken
    ),
}


@pytest.mark.parametrize("client", ASK)
def test_a_client_of_ours_asks_loopback_itself_and_without_credentials(client, proxy, here):
    assert ASK[client](here.address)
    assert [authorization for _, authorization in here.asked] == [None]
    assert proxy.asked == []


def test_a_webhook_elsewhere_goes_through_the_proxy_and_without_credentials(proxy):
    assert Webhook("http://example.com/hook", Signature("x" * 30), 5).deliver("a", {}).taken
    assert proxy.asked == [("http://example.com/hook", None)]


@pytest.mark.parametrize("before", [None, "example.com", "*", "localhost, .corp"])
def test_mlflows_client_asks_loopback_itself_and_without_credentials(before, proxy, monkeypatch):
    if before is not None:
        monkeypatch.setenv("NO_PROXY", before)
    base = next(base for base in range(33_000, 60_000, 100) if is_free(Ports(base).mlflow))
    mlflow = Server(Ports(base).mlflow)
    try:
        done = subprocess.run(
            [sys.executable, "-c", "from jobs.cli import main; main()", "promote", "fraud", "1"],
            cwd=ROOT,
            env={**os.environ, "WEIR_PORT_BASE": str(base)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        mlflow.shutdown()
        mlflow.server_close()
    assert "does not answer" not in done.stderr
    assert mlflow.asked
    assert {authorization for _, authorization in mlflow.asked} == {None}
    assert proxy.asked == []


def test_proxies_for_other_hosts_stay_in_force():
    environ = {"https_proxy": "http://proxy:3128", "NO_PROXY": "a.example, .corp"}
    keep_to_ourselves(environ)
    assert environ["https_proxy"] == "http://proxy:3128"
    assert environ["no_proxy"] == environ["NO_PROXY"] == "a.example,.corp,127.0.0.1,localhost,::1"
    again = dict(environ)
    keep_to_ourselves(again)
    assert again == environ
