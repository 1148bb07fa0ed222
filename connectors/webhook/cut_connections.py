"""Connections of ``requests`` that another thread can cut: its time-outs bound one wait each, and never a whole call."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from requests.adapters import HTTPAdapter

__all__ = ["CutAdapter"]


class CutAdapter(HTTPAdapter):
    """Makes connections for a session, and cuts all that there are when it is told to."""

    def __init__(self) -> None:
        self._made: WeakSet[Any] = WeakSet()
        self._kinds: dict[Any, Any] = {}
        super().__init__()

    def get_connection_with_tls_context(self, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401
        """Return the pool of connections for a request, as its base class does; its connections can be cut."""
        pool: Any = super().get_connection_with_tls_context(*arguments, **named)
        kind = pool.ConnectionCls
        if kind not in self._kinds.values():
            if kind not in self._kinds:
                self._kinds[kind] = _kept(kind, self._made.add)
            pool.ConnectionCls = self._kinds[kind]
        return pool

    def cut(self) -> None:
        """End every connection where it stands; whoever reads or writes one gets an error at once."""
        for connection in list(self._made):
            connection.cut()


def _kept(kind: Any, note: Callable[[Any], None]) -> Any:  # noqa: ANN401
    """Return a kind of connection that notes each of its instances and keeps a second handle on its socket.

    TLS takes the first one away from the connection while it shakes hands.
    """

    class Connection(kind):
        twin: socket.socket | None = None

        def _new_conn(self) -> socket.socket:
            made: socket.socket = super()._new_conn()
            self.twin = made.dup()
            note(self)
            return made

        def cut(self) -> None:
            if self.twin is not None:
                with contextlib.suppress(OSError):
                    self.twin.shutdown(socket.SHUT_RDWR)

        def close(self) -> None:
            super().close()
            if self.twin is not None:
                self.twin.close()
                self.twin = None

    return Connection
