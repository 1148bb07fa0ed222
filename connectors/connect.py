"""Registers Debezium with Kafka Connect: the one connector that carries the registry's rows to ``weir.metadata``.

The connector itself is configuration, ``connectors/debezium.json``; what is added here is where the database is. The
password never enters Connect's topics: the configuration names a file that the worker may read.
"""

from __future__ import annotations

import time
from importlib import resources
from typing import Any

import orjson
import requests

from connectors.loopback import loopback_session
from udfs.domain.errors import ConnectionLostError, StackError

__all__ = ["CONNECTOR", "connector_state", "register_connector"]

CONNECTOR = "weir-metadata"

_PAUSE_S = 0.5
_REQUEST_TIMEOUT_S = 30.0  # Connect itself waits for the database while it validates a configuration


def register_connector(
    connect_url: str,
    database_port: int,
    password_file: str,
    *,
    database_host: str = "127.0.0.1",
    sslmode: str = "prefer",
    root_cert: str = "",
    limit_s: float = 60.0,
) -> None:
    """Create the connector, or bring it to this version's configuration, and wait until it runs; does nothing twice.

    Connect answers 500 with the text of a NullPointerException while PostgreSQL is down, and 409 while it rebalances:
    both are tried again.

    Parameters
    ----------
    connect_url
        The worker's REST address.
    database_port, database_host
        Where the worker finds PostgreSQL.
    password_file
        A properties file on the worker's side with the ``password`` of the role ``debezium``, inside what the worker's
        FileConfigProvider is allowed to read.
    sslmode, root_cert
        As PostgreSQL's clients name them; the certificates are a file on the worker's side.
    limit_s
        Seconds after which it is given up.

    Raises
    ------
    ConnectionLostError
        When Connect, or PostgreSQL behind it, did not answer in time.
    StackError
        When Connect refuses the configuration, or the connector fails.
    """
    url = f"{connect_url.rstrip('/')}/connectors/{CONNECTOR}"
    tls = {"database.sslmode": sslmode} | ({"database.sslrootcert": root_cert} if root_cert else {})
    config = _config(database_host, database_port, password_file) | tls
    deadline = time.monotonic() + limit_s
    said = _put(url, config, deadline)
    while True:
        state = connector_state(connect_url)
        if state == "RUNNING":
            return
        if state == "FAILED":
            # A task that failed stays failed; what broke it (a database that was away) may be over.
            _request("POST", f"{url}/restart?includeTasks=true&onlyFailed=true")
        if time.monotonic() > deadline:
            msg = f"The connector {CONNECTOR} is {state} after {limit_s:.0f} s: {_trace(url) or said}. See connect.log."
            raise StackError(msg)
        time.sleep(_PAUSE_S)


def connector_state(connect_url: str) -> str:
    """Tell how the connector is: RUNNING, FAILED, PAUSED, UNASSIGNED, RESTARTING, or MISSING.

    Parameters
    ----------
    connect_url
        The worker's REST address.

    Raises
    ------
    ConnectionLostError
        When Connect does not answer.
    """
    answer = _request("GET", f"{connect_url.rstrip('/')}/connectors/{CONNECTOR}/status")
    if answer is None:
        msg = f"Kafka Connect at {connect_url} does not answer. Is the stack up? See weir status."
        raise ConnectionLostError(msg)
    if not answer.ok:
        return "MISSING"
    status = answer.json()
    states = [status["connector"]["state"], *(task["state"] for task in status["tasks"])]
    if len(states) == 1:
        return "UNASSIGNED"
    return next((state for state in states if state != "RUNNING"), "RUNNING")


def _config(host: str, port: int, password_file: str) -> dict[str, str]:
    fixed: dict[str, str] = orjson.loads(resources.files("connectors").joinpath("debezium.json").read_bytes())
    return {
        **fixed,
        "name": CONNECTOR,
        "database.hostname": host,
        "database.port": str(port),
        "database.password": f"${{file:{password_file}:password}}",
    }


def _put(url: str, config: dict[str, str], deadline: float) -> str:
    """Send the configuration until Connect takes it; return what it said last."""
    present = _request("GET", f"{url}/config")
    if present is not None and present.ok and present.json() == config:
        return ""  # another PUT would restart a task that runs
    while True:
        answer = _request("PUT", f"{url}/config", config)
        if answer is not None and answer.ok:
            return ""
        said = "no answer" if answer is None else _message(answer)
        if answer is not None and answer.status_code == 400 and "database.hostname" not in said:
            msg = f"Kafka Connect refuses the connector {CONNECTOR}: {said}"
            raise StackError(msg)
        if time.monotonic() > deadline:
            msg = f"Kafka Connect at {url} did not take the connector: {said}. Is PostgreSQL up? See weir status."
            raise ConnectionLostError(msg)
        time.sleep(_PAUSE_S)


def _trace(url: str) -> str:
    """Return the first line of what made the connector or its task fail."""
    answer = _request("GET", f"{url}/status")
    if answer is None or not answer.ok:
        return ""
    status = answer.json()
    traces = [part.get("trace", "") for part in (status["connector"], *status["tasks"])]
    return next((trace.splitlines()[0] for trace in traces if trace), "")


def _message(answer: requests.Response) -> str:
    try:
        text = str(answer.json().get("message", ""))
    except ValueError:
        text = answer.text
    return " ".join(text.split())[:400] or f"status {answer.status_code}"


def _request(method: str, url: str, body: Any = None) -> requests.Response | None:  # noqa: ANN401
    try:
        with loopback_session() as session:
            return session.request(method, url, json=body, timeout=_REQUEST_TIMEOUT_S)
    except requests.RequestException:
        return None
