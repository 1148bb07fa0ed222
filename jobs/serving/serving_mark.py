"""A note in the stack's home that an API serves there, so that ``weir status`` can say where."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from connectors.local.http_probe import answers
from connectors.local.process_identity import Started, is_alive, started_of

__all__ = ["ServingMark"]

NAME = "api.json"


@dataclass(frozen=True, slots=True)
class ServingMark:
    """Which process serves where.

    Parameters
    ----------
    address
        Its address, as a client uses it.
    pid, pid_started
        The process, and when it started: a number alone may be another's by now.
    """

    address: str
    pid: int
    pid_started: Started

    @staticmethod
    @contextmanager
    def left_in(home: Path, address: str) -> Iterator[None]:
        """Leave the note while the block runs; a home that is not there is left alone."""
        path = home / NAME
        mine = ServingMark(address, os.getpid(), started_of(os.getpid()))
        if home.is_dir():
            path.write_bytes(orjson.dumps(asdict(mine)))
        try:
            yield
        finally:
            if ServingMark.read(home) == mine:
                path.unlink(missing_ok=True)

    @staticmethod
    def read(home: Path) -> ServingMark | None:
        """Return the note, or None where there is none that can be read."""
        try:
            return ServingMark(**orjson.loads((home / NAME).read_bytes()))
        except (OSError, orjson.JSONDecodeError, TypeError):
            return None

    @property
    def state(self) -> str:
        """``ready``, ``starting`` (it lives and cannot answer predictions) or ``stopped``."""
        if not is_alive(self.pid, self.pid_started):
            return "stopped"
        return "ready" if answers(f"{self.address}/v1/ready") else "starting"
