"""What the supervisor tells the world, as a small JSON file that is always whole: ``home/stack.json``."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import orjson

from connectors.local.process_identity import Started, is_alive

__all__ = ["ComponentState", "StackState"]

State = Literal["starting", "ready", "restarting", "failed", "stopped"]


@dataclass(slots=True)
class ComponentState:
    """One component as the supervisor sees it.

    Parameters
    ----------
    state
        Where it is in its life.
    doing
        One word or two for people: what it does or waits for.
    pid, pid_started
        Its process and when that started, as ``started_of`` says; 0 where there is none.
    ports
        The ports it listens on.
    log
        The file with its output.
    restarts
        How often it was started again since the stack came up.
    sentence
        Why it failed or was last restarted; empty where nothing happened.
    """

    state: State
    doing: str
    pid: int
    pid_started: Started
    ports: tuple[int, ...]
    log: str
    restarts: int = 0
    sentence: str = ""


@dataclass(slots=True)
class StackState:
    """The whole stack.

    Parameters
    ----------
    state
        ``ready`` when every component is, ``failed`` when one gave up.
    pid, pid_started
        The supervisor's process.
    port_base
        The base of its ports.
    components
        By name, in the order in which they are listed.
    """

    state: State
    pid: int
    pid_started: Started
    port_base: int
    components: dict[str, ComponentState] = field(default_factory=dict)

    def write(self, home: Path) -> None:
        """Replace the file in one step; a reader sees the old one or the new one."""
        partial = home / f".stack.json.{os.getpid()}"
        partial.write_bytes(orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2))
        partial.replace(home / "stack.json")

    @classmethod
    def read(cls, home: Path) -> StackState | None:
        """Return what the file says, or None where there is none or another version wrote it."""
        try:
            document: dict[str, Any] = orjson.loads((home / "stack.json").read_bytes())
            components = {
                name: ComponentState(**{**values, "ports": tuple(values["ports"])})
                for name, values in document.pop("components").items()
            }
            return cls(**document, components=components)
        except (FileNotFoundError, orjson.JSONDecodeError, KeyError, TypeError):
            return None

    @property
    def alive(self) -> bool:
        """Whether the supervisor that wrote this still runs."""
        return is_alive(self.pid, self.pid_started)

    def failures(self) -> list[str]:
        """Return the sentences of the components that gave up."""
        return [each.sentence for each in self.components.values() if each.state == "failed" and each.sentence]
