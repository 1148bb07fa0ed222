"""Finds out before the start which ports somebody else has."""

from __future__ import annotations

import socket
from collections.abc import Iterable

import psutil

from connectors.local.component import Component
from udfs.domain.errors import StackError

__all__ = ["check_ports", "is_free"]


def is_free(port: int) -> bool:
    """Tell whether a server could listen on 127.0.0.1 at this port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do; a listener still is in the way
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def check_ports(components: Iterable[Component]) -> None:
    """Check every port of every component.

    Raises
    ------
    StackError
        If one is taken; it names the port, the component and, where the system tells, who has it.
    """
    taken = [(port, each.name) for each in components for port in each.ports if not is_free(port)]
    if taken:
        ports = ", ".join(f"{port} ({name}){_holder(port)}" for port, name in taken)
        msg = f"Ports are taken: {ports}. Stop who has them, or choose others: WEIR_PORT_BASE=29000."
        raise StackError(msg)


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                return (
                    f", held by {psutil.Process(connection.pid).name()}, process {connection.pid}"
                    if connection.pid
                    else ""
                )
    except psutil.Error:
        return ""
    return ""
