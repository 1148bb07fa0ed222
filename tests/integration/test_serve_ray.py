"""``weir serve --ray 2``: a Ray of its own on this machine, two processes that answer, and nothing left at the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import httpx
import psutil
import pytest

from connectors.local.port_check import is_free
from tests.e2e.local import MAIN, ROOT, free_port_base

pytest.importorskip("ray", reason="the extra [ray] is not installed")


@pytest.fixture
def started(tmp_path):
    """Give the process and its address; no stack runs behind it."""
    base = free_port_base()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WEIR_")}
    environment |= {"WEIR_HOME": str(tmp_path), "WEIR_PORT_BASE": str(base)}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", MAIN, "serve", "--ray", "2", "--json"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    said = "".join(iter(process.stdout.readline, "}\n"))
    yield process, json.loads(said + "}")["address"], base + 80
    if process.poll() is None:
        process.kill()
    process.wait(60)


def test_two_replicas_answer_as_one_api_and_leave_nothing(started):
    process, address, port = started
    with httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
        answered = set()
        for _ in range(200):
            answered.add(client.get("/v1/health").headers["weir-process"])
        assert len(answered) == 2
        assert str(process.pid) not in answered
        not_ready = client.get("/v1/ready")
        assert (not_ready.status_code, not_ready.json()["reason"]) == (503, "not_ready")
        malformed = client.post("/v1/predict", content="{", headers={"Content-Type": "application/json"})
        assert (malformed.status_code, malformed.json()["reason"]) == (400, "not_json")
        assert malformed.headers["content-type"] == "application/problem+json"
        large = client.post("/v1/predict", json={"rows": [], "x": "y" * 1_100_000})
        assert (large.status_code, large.json()["reason"]) == (413, "body_too_large")
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 4
    process.send_signal(signal.SIGINT)
    assert process.wait(90) == 0
    _, alive = psutil.wait_procs(family, timeout=20)
    assert alive == []
    assert is_free(port)
