"""What the local stack knows of a component: how it is prepared, started, known to be ready, and set up."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

__all__ = ["Command", "Component"]


@dataclass(frozen=True, slots=True)
class Command:
    """One process to start.

    Parameters
    ----------
    argv
        Program and arguments; no shell reads them.
    env
        The whole environment of the process.
    cwd
        The folder it starts in; empty, because Flink's scripts take an empty class path element for it.
    user
        The account to run as when the supervisor is root (PostgreSQL refuses root); None keeps the supervisor's.
    stop_signal
        What asks the process to stop; SIGTERM unless it means something slow (PostgreSQL: SIGINT is its fast stop).
        After a grace the whole session is killed.
    """

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    stop_signal: int = signal.SIGTERM


class Component(Protocol):
    """One process of the stack. The supervisor calls the methods in the order in which they stand here.

    Every method is idempotent: ``prepare`` and ``set_up`` run again at each ``weir up`` and after each restart.
    """

    name: str
    depends_on: tuple[str, ...]
    ports: tuple[int, ...]
    log: Path

    def prepare(self) -> None:
        """Write configuration and lay out data folders; nothing runs yet."""

    def command(self) -> Command:
        """Return the process to start, in the foreground."""

    def ready(self) -> bool:
        """Tell whether the process answers; polled, returns within about a second, never raises."""

    def set_up(self) -> None:
        """Create what others need once it answers: topics, buckets, tables, a connector."""
