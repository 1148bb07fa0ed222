"""``weir serve`` beside the tests' stack: started as a person would, asked over HTTP, stopped with Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.e2e.local import MAIN, ROOT
from tests.e2e.scoring import Scoring, wait_for


@contextmanager
def serving(scoring: Scoring, *arguments: str, port: int | None = None, **settings: str) -> Iterator[httpx.Client]:
    """Give a client of a ready API of this story's model; leaving ends it, which must be clean."""
    local = scoring.local
    port = port or local.stack.ports.api
    address = f"http://127.0.0.1:{port}"
    log = local.home / "logs" / f"serve{'-'.join(arguments)}.log"
    given = {"home": str(local.home), "port_base": str(local.port_base), "model": scoring.model, **settings}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WEIR_")}
    environment |= {f"WEIR_{name.upper()}": value for name, value in given.items()}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", MAIN, "serve", *arguments, "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        with httpx.Client(base_url=address, trust_env=False, timeout=60) as client:

            def ready() -> bool:
                assert process.poll() is None, log.read_text()
                try:
                    return client.get("/v1/ready").status_code == 200
                except httpx.TransportError:
                    return False

            wait_for("the API is ready", ready, timeout_s=180)
            yield client
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            code = process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert code == 0, log.read_text()
