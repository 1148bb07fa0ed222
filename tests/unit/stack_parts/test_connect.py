from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
import pytest

from connectors import connect
from connectors.connect import CONNECTOR, connector_state, register_connector
from udfs.domain.errors import ConnectionLostError, StackError

SECRET = "/secrets/debezium.properties"


class Worker(ThreadingHTTPServer):
    """Kafka Connect as far as this project talks to it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.config: dict[str, str] | None = None
        self.puts = 0
        self.restarts = 0
        self.refusals: list[tuple[int, str]] = []
        self.states = ["RUNNING"]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Worker

    def do_GET(self) -> None:
        if self.server.config is None:
            self.answer(404, {"message": "no connector"})
        elif self.path.endswith("/config"):
            self.answer(200, self.server.config)
        else:
            state = self.server.states.pop(0) if len(self.server.states) > 1 else self.server.states[0]
            tasks = [] if state == "NONE" else [{"id": 0, "state": state, "trace": "org.X: no slot\n\tat y"}]
            self.answer(200, {"connector": {"state": "RUNNING"}, "tasks": tasks})

    def do_PUT(self) -> None:
        self.server.puts += 1
        body = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.refusals:
            status, message = self.server.refusals.pop(0)
            self.answer(status, {"error_code": status, "message": message})
            return
        self.server.config = body
        self.answer(201, {"name": CONNECTOR})

    def do_POST(self) -> None:
        self.server.restarts += 1
        self.answer(202, {})

    def answer(self, status: int, body: Any) -> None:
        data = orjson.dumps(body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    monkeypatch.setattr(connect, "_PAUSE_S", 0.01)
    server = Worker()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_registering_twice_sends_the_configuration_once(worker: Worker) -> None:
    register_connector(worker.url, 5432, SECRET)
    register_connector(worker.url, 5432, SECRET)
    assert worker.puts == 1
    register_connector(worker.url, 5433, SECRET)
    assert worker.puts == 2


def test_the_configuration_names_the_password_and_does_not_hold_it(worker: Worker) -> None:
    register_connector(worker.url, 5432, SECRET)
    assert worker.config is not None
    assert worker.config["database.password"] == f"${{file:{SECRET}:password}}"
    assert worker.config["database.port"] == "5432"
    assert worker.config["database.sslmode"] == "prefer"
    register_connector(worker.url, 5432, SECRET, sslmode="verify-full", root_cert="/ca.pem")
    assert (worker.config["database.sslmode"], worker.config["database.sslrootcert"]) == ("verify-full", "/ca.pem")
    assert all(isinstance(value, str) for value in worker.config.values())


def test_a_database_that_is_not_up_yet_is_waited_for(worker: Worker) -> None:
    worker.refusals = [
        (500, 'Cannot invoke "...getVersion()" because "this.databaseVersion" is null: NullPointerException'),
        (409, "Cannot complete request momentarily due to stale configuration (rebalance)"),
        (400, "Error while validating connector config: database.hostname: the connection attempt failed"),
    ]
    register_connector(worker.url, 5432, SECRET)
    assert worker.puts == 4


def test_a_database_that_stays_away_is_one_sentence(worker: Worker) -> None:
    worker.refusals = [(500, "java.lang.NullPointerException")] * 10_000
    with pytest.raises(ConnectionLostError, match=r"NullPointerException. Is PostgreSQL up"):
        register_connector(worker.url, 5432, SECRET, limit_s=0.1)


def test_a_configuration_that_is_refused_is_not_tried_again(worker: Worker) -> None:
    worker.refusals = [(400, "slot.name: must contain only digits")]
    with pytest.raises(StackError, match=r"slot\.name"):
        register_connector(worker.url, 5432, SECRET)
    assert worker.puts == 1


def test_a_task_that_failed_is_restarted_and_one_that_stays_so_is_said(worker: Worker) -> None:
    worker.states = ["NONE", "FAILED", "RESTARTING", "RUNNING"]
    register_connector(worker.url, 5432, SECRET)
    assert worker.restarts == 1
    worker.states = ["FAILED"]
    with pytest.raises(StackError, match=r"is FAILED .*no slot"):
        register_connector(worker.url, 5432, SECRET, limit_s=0.1)


def test_the_state_of_a_connector(worker: Worker) -> None:
    assert connector_state(worker.url) == "MISSING"
    worker.config, worker.states = {}, ["NONE", "PAUSED", "RUNNING"]
    assert [connector_state(worker.url) for _ in range(3)] == ["UNASSIGNED", "PAUSED", "RUNNING"]
    with pytest.raises(ConnectionLostError, match="does not answer"):
        connector_state("http://127.0.0.1:1")
