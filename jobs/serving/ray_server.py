"""Serves the app of a plan as Ray Serve deployments on this machine, until it is told to stop.

Each replica is a process with services of its own: it follows the topics itself, so a swap reaches all of them. Ray's proxy
spreads the requests.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from jobs.serving.serving_app import serving_app
from jobs.serving.serving_mark import ServingMark
from jobs.serving.serving_plan import ServingPlan
from udfs.domain.errors import SettingsError, StackError

__all__ = ["run_ray_server"]

OBJECT_STORE_BYTES = 100 * 1024 * 1024
"""Requests and answers are small; Ray would take a third of the machine's memory."""
MOST_ONGOING = 1_000
# Read by Ray when it is imported, and by the processes it starts.
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_enable_metrics_collection": "0",
    "RAY_SERVE_LOG_TO_STDERR": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


class ServingReplica:
    """One replica: the same app as on uvicorn, made from the plan in its own process."""

    def __init__(self, plan: ServingPlan) -> None:
        self._plan = plan

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Return the app; Ray Serve calls this once the replica is made, and runs its lifespan."""
        return serving_app(self._plan)


def run_ray_server(
    plan: ServingPlan, host: str, port: int, home: Path, replicas: int, told: Callable[[str], object]
) -> None:
    """Serve on a Ray of its own until SIGINT or SIGTERM.

    Parameters
    ----------
    plan
        What to serve.
    host, port
        Where Ray's proxy listens.
    home
        The stack's home, where a note says that it serves.
    replicas
        How many processes answer.
    told
        Called with the address once all replicas run.

    Raises
    ------
    SettingsError
        If the extra ``ray`` is not installed.
    StackError
        If Ray or the replicas do not start.
    """
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    with _told_to_stop() as stop, _ray() as serve, ServingMark.left_in(home, address):
        try:
            quiet = {"log_level": "ERROR", "enable_access_log": False}
            serve.start(proxy_location="HeadOnly", http_options={"host": host, "port": port}, logging_config=quiet)
            replica = serve.deployment(
                name="weir-api",
                num_replicas=replicas,
                max_ongoing_requests=MOST_ONGOING,
                ray_actor_options={"num_cpus": 0},
                logging_config=quiet,
            )(serve.ingress()(ServingReplica))
            serve.run(replica.bind(plan), name="weir", route_prefix="/", logging_config=quiet)
        except RuntimeError as error:
            msg = f"Ray Serve did not start {replicas} replicas: got {str(error).splitlines()[0]!r}."
            raise StackError(msg) from error
        told(address)
        stop.wait()


@contextmanager
def _ray() -> Iterator[Any]:
    """Start a Ray of its own, on this machine only, and end it with all its processes."""
    os.environ.update(_ENVIRONMENT)
    try:
        import ray
        from ray import serve
    except ImportError as error:
        msg = "--ray needs Ray, which is not installed; install Weir with the extra [ray]."
        raise SettingsError(msg) from error
    # Its sockets lie in that folder, and a socket's path has at most 107 characters.
    folder = tempfile.mkdtemp(prefix="weir-ray-", dir="/tmp")
    try:
        ray.init(
            address="local",
            num_cpus=4,
            object_store_memory=OBJECT_STORE_BYTES,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            _node_ip_address="127.0.0.1",
            _temp_dir=folder,
        )
        yield serve
    finally:
        serve.shutdown()  # type: ignore[no-untyped-call]
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """Give an event that SIGINT and SIGTERM set."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
