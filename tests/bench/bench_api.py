"""How fast the API answers: on one worker, on Ray Serve with one and two replicas, through the stream; and bare River.

Predict is asked one row at a time by eight connections that wait for each answer; the client shares the machine's cores.
With Ray the champion is swapped under that load, and each replica must follow.
Through the stream transactions come at a steady rate, and a latency counts from the moment one was due.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson

from connectors.local.port_check import is_free
from tests.bench.http_load import Load, closed_loop, request_bytes, steady
from tests.bench.publish import publish
from tests.e2e.local import ROOT, Local
from tests.e2e.models import HANDBOOK, stream, trained, without_truths
from tests.e2e.scoring import Scoring, wait_for
from tests.e2e.serving import serving

CONNECTIONS = 8
SECONDS = 10.0
WARM_UP_S = 2.0
STREAM_RATE = 500
STREAM_SECONDS = int(os.environ.get("STREAM_SECONDS", "20"))
STREAM_CONNECTIONS = 1_500
STREAM_TIMEOUT_MS = 20_000
SWAP_S = 60


def rows(count: int) -> list[dict[str, float]]:
    """Return rows whose numbers are of the size of real ones."""
    made = stream(count).columns
    return [dict.fromkeys(HANDBOOK.features, 1.0) | {"TX_AMOUNT": float(amount)} for amount in made.amount.tolist()]


def measured(address: str, path: str, bodies: list[bytes]) -> Load:
    requests = [request_bytes(address, path, body) for body in bodies]
    asyncio.run(closed_loop(address, requests, CONNECTIONS, WARM_UP_S))
    load = asyncio.run(closed_loop(address, requests, CONNECTIONS, SECONDS))
    assert set(load.statuses) == {200}, load.statuses
    return load


def figures(name: str, load: Load) -> dict[str, float]:
    return {
        f"{name}requests_per_s": load.per_s,
        f"{name}p50_ms": load.percentile(50),
        f"{name}p99_ms": load.percentile(99),
    }


def through_the_stream(scoring: Scoring, address: str) -> dict[str, float]:
    """Send transactions at a steady rate; each is answered by the job."""
    made = without_truths(stream(STREAM_RATE * (STREAM_SECONDS + 5), first_id="bench/")).interleaved()
    messages = [orjson.dumps(message) for _, message in made]
    path = f"/v1/transactions?timeout_ms={STREAM_TIMEOUT_MS}"
    requests = [request_bytes(address, path, each) for each in messages]
    first = STREAM_RATE * 5
    asyncio.run(steady(address, requests[:first], STREAM_RATE, STREAM_CONNECTIONS))
    load = asyncio.run(steady(address, requests[first:], STREAM_RATE, STREAM_CONNECTIONS))
    total = scoring.wait_for_sum(len(messages))
    assert total.holds, str(total)
    answered = load.statuses[200]
    return {
        **figures("stream_", load),
        "stream_answered": answered,
        "stream_not_in_time": len(requests) - first - answered,
    }


@contextmanager
def bare_river(artifact: bytes, port: int) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "artifact"
        path.write_bytes(artifact)
        words = [sys.executable, "-m", "tests.bench.bare_river", str(path), str(port)]
        process = subprocess.Popen(words, cwd=ROOT)
        try:
            wait_for("bare River answers", lambda: not is_free(port), 60)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def run(local: Local) -> dict[str, Any]:
    scoring = Scoring(local, model="bench_api")
    scoring.deploy(trained(1), "1")
    bodies = [orjson.dumps({"rows": [row]}) for row in rows(500)]
    found: dict[str, Any] = {}
    with serving(scoring) as client:
        found |= figures("", measured(str(client.base_url).rstrip("/"), "/v1/predict", bodies))
        batch = [orjson.dumps({"rows": rows(500)})]
        found["batch_rows_per_s"] = 500 * measured(str(client.base_url).rstrip("/"), "/v1/predict", batch).per_s
        scoring.submit()
        scoring.wait_for_event("activated", "1")
        found |= through_the_stream(scoring, str(client.base_url).rstrip("/"))
        scoring.stop()
    with bare_river(trained(1), local.stack.ports.api + 2) as address:
        wait_until_answers(address)
        found |= figures("river_", measured(address, "/score", [orjson.dumps(row) for row in rows(500)]))
    for replicas in (1, 2):
        with serving(scoring, "--ray", str(replicas)) as client:
            address = str(client.base_url).rstrip("/")
            found |= figures(f"ray_{replicas}_", measured(address, "/v1/predict", bodies))
            version = str(1 + replicas)
            found[f"ray_{replicas}_swap_ms"] = swapped(scoring, address, bodies, version, replicas)
    return {**found, "ratio_to_river": found["requests_per_s"] / found["river_requests_per_s"]}


def swapped(scoring: Scoring, address: str, bodies: list[bytes], version: str, replicas: int) -> float:
    """Deploy a version while predictions are asked for; return after how many milliseconds all replicas score with it."""
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(measured, address, "/v1/predict", bodies)
        time.sleep(2 * WARM_UP_S)
        scoring.deploy(trained(int(version)), version)
        began, followed = time.monotonic(), set()
        while len(followed) < replicas:
            answer = httpx.get(f"{address}/v1/ready", trust_env=False)
            if answer.json()["champion"] == version:
                followed.add(answer.headers["weir-process"])
            assert time.monotonic() - began < SWAP_S, f"only {followed} of {replicas} replicas have it"
        milliseconds = (time.monotonic() - began) * 1_000
        load.result()  # every answer was 200
    return milliseconds


def wait_until_answers(address: str) -> None:
    def answers() -> bool:
        try:
            return httpx.get(f"{address}/openapi.json", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    wait_for(f"{address} answers", answers, 60)


def main() -> None:
    """Run the stack, measure, publish."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="weir-api-") as folder:
        local = Local(Path(folder) / "home")
        local.weir_json("up", timeout_s=600)
        try:
            found = run(local)
        finally:
            local.stack.down(purge=True)
    load = os.getloadavg()
    publish("api", {**found, "load_average": load[1], "seconds": time.monotonic() - started})


if __name__ == "__main__":
    main()
