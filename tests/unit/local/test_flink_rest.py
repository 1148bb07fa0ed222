from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from connectors.local.flink_rest import FlinkRest
from udfs.domain.errors import ConnectionLostError, JobError

ANSWERS: dict[str, tuple[int, Any]] = {
    "GET /jobs/overview": (200, {"jobs": [{"jid": "j", "state": "RUNNING"}]}),
    "GET /jobs/j": (200, {"state": "RUNNING", "vertices": [{"status": "RUNNING"}, {"status": "RUNNING"}]}),
    "GET /jobs/begins": (200, {"state": "RUNNING", "vertices": [{"status": "RUNNING"}, {"status": "INITIALIZING"}]}),
    "GET /jobs/restarts": (200, {"state": "RESTARTING", "vertices": [{"status": "RUNNING"}]}),
    "GET /jobs/none": (404, {"errors": ["Job none not found"]}),
    "PATCH /jobs/j?mode=cancel": (202, {}),
    "POST /jobs/j/stop": (202, {"request-id": "r"}),
    "GET /jobs/j/savepoints/r": (200, {"status": {"id": "COMPLETED"}, "operation": {"location": "file:/s"}}),
    "POST /jobs/j/savepoints": (202, {"request-id": "bad"}),
    "GET /jobs/j/savepoints/bad": (
        200,
        {"status": {"id": "COMPLETED"}, "operation": {"failure-cause": {"stack-trace": "No tasks\n\tat x.y\n"}}},
    ),
}


class Handler(BaseHTTPRequestHandler):
    def answer(self) -> None:
        status, body = ANSWERS[f"{self.command} {self.path}"]
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = answer

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def rest() -> Iterator[FlinkRest]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield FlinkRest(f"http://127.0.0.1:{server.server_port}/")
    server.shutdown()
    server.server_close()


def test_jobs_and_their_states_are_read_and_a_job_is_cancelled(rest: FlinkRest) -> None:
    assert [job["jid"] for job in rest.jobs()] == ["j"]
    assert rest.state("j") == "RUNNING"
    rest.cancel("j")


@pytest.mark.parametrize(("job_id", "runs"), [("j", True), ("begins", False), ("restarts", False)])
def test_a_job_runs_when_every_task_does(rest: FlinkRest, job_id: str, runs: bool) -> None:
    assert rest.all_run(job_id) is runs


def test_a_stop_returns_the_savepoint_and_a_failed_one_says_why_without_the_stack(rest: FlinkRest) -> None:
    assert rest.stop("j") == "file:/s"
    with pytest.raises(JobError, match=r"No tasks\.$"):
        rest.savepoint("j")


def test_an_unknown_job_is_a_job_error_with_flinks_words(rest: FlinkRest) -> None:
    with pytest.raises(JobError, match="Job none not found"):
        rest.job("none")


def test_a_dead_job_manager_is_a_lost_connection() -> None:
    with pytest.raises(ConnectionLostError, match="does not answer"):
        FlinkRest("http://127.0.0.1:9", timeout_s=1).jobs()
