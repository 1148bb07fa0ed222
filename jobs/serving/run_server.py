"""Serves the app of a plan on uvicorn, in this process, until it is told to stop."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from jobs.serving.serving_app import serving_app
from jobs.serving.serving_mark import ServingMark
from jobs.serving.serving_plan import ServingPlan
from udfs.domain.errors import SettingsError

__all__ = ["run_server"]

GRACE_S = 5
KEEP_ALIVE_S = 30
MOST_CONNECTIONS = 4_000
BACKLOG = 2_048


def run_server(plan: ServingPlan, host: str, port: int, home: Path, told: Callable[[str], object]) -> None:
    """Serve until SIGINT or SIGTERM; requests under way get five seconds to end.

    Parameters
    ----------
    plan
        What to serve.
    host, port
        Where to listen.
    home
        The stack's home, where a note says that it serves.
    told
        Called with the address once it is bound.

    Raises
    ------
    SettingsError
        If the port is taken.
    """
    listener = _bind(host, port)
    address = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        serving_app(plan),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=KEEP_ALIVE_S,
        limit_concurrency=MOST_CONNECTIONS,
        backlog=BACKLOG,
        lifespan="on",
    )
    with listener, ServingMark.left_in(home, address):
        told(address)
        _Server(config).run(sockets=[listener])


class _Server(uvicorn.Server):
    """A server for which being told to stop is a good end."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM as requests to stop; uvicorn would raise them again, and die of SIGTERM untidily."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()


def _bind(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        msg = f"The API cannot listen on {host} port {port}: {error.strerror}. Choose another: --port N."
        raise SettingsError(msg) from error
