"""Whose the data in the stack's home are: a demo begins with an empty stack and removes only what a demo left.

A demo marks the home as its own with the process that runs it and the supervisor it started. The next demo removes a
home that is marked and was not started again since by ``weir up``. Any other home it takes only if its topics are empty.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from connectors.kafka.reader import end_offsets
from connectors.local.process_identity import Started, is_alive, started_of
from connectors.local.stack import LocalStack
from connectors.local.stack_home import StackHome
from connectors.local.stack_state import StackState
from udfs.domain.errors import StackError

__all__ = ["DemoHome"]

TOPICS_OF_A_STREAM = ("transactions", "truths", "inferences")


class DemoHome:
    """The home of a stack as the demo sees it.

    Parameters
    ----------
    stack
        The local stack.
    """

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._marker = self.folder / "demo.json"
        self._noted: tuple[int, Started] | None = None

    @property
    def folder(self) -> Path:
        """Where the demo keeps its picture and its result."""
        return self._stack.home / "demo"

    def make_room(self, told: Callable[[str], None] = lambda sentence: None) -> bool:
        """Remove what the last demo left here, if a demo left it; mark the home if it is new.

        Parameters
        ----------
        told
            Called with a sentence before something is removed.

        Returns
        -------
        bool
            Whether the home is a demo's now; if not, its stack has to be up to see whether it is empty.

        Raises
        ------
        StackError
            If another demo runs here.
        """
        marker, state = self._read(), StackState.read(self._stack.home)
        if marker is not None and _alive_elsewhere(marker["process"]):
            msg = (
                f"A demo runs in {self._stack.home} already (process {marker['process'][0]}). Wait for it, or give "
                f"this one its own home and ports: WEIR_HOME=.weir-2 WEIR_PORT_BASE=21000 weir demo."
            )
            raise StackError(msg)
        if marker is not None and (state is None or [state.pid, state.pid_started] == marker["supervisor"]):
            told(f"removing what the last demo left in {self._stack.home}")
            self._stack.down(purge=True)
        if self._stack.home.exists() and any(self._stack.home.iterdir()):
            return False
        StackHome(self._stack.home).create()
        self._write(None)
        return True

    def note(self, state: StackState) -> None:
        """Remember which supervisor runs the demo's stack; cheap to call with every state."""
        if self._noted != (state.pid, state.pid_started) and state.alive:
            self._noted = (state.pid, state.pid_started)
            self._write(self._noted)

    def adopt(self, bootstrap: str) -> None:
        """Mark a home the demo did not make as a demo's, if nothing was ever streamed there.

        Raises
        ------
        StackError
            If its topics hold records; nothing is changed then.
        """
        held = [topic for topic in TOPICS_OF_A_STREAM if any(end_offsets(bootstrap, topic, committed=False).values())]
        if held:
            msg = (
                f"The stack in {self._stack.home} holds data that are not a demo's (topics {', '.join(held)}); the "
                f"demo needs an empty one. Keep it and run WEIR_HOME=.weir-2 WEIR_PORT_BASE=21000 weir demo, or remove it "
                f"with weir down --purge."
            )
            raise StackError(msg)
        state = self._stack.status()
        if state is not None:
            self.note(state)

    def _read(self) -> dict[str, Any] | None:
        try:
            found = orjson.loads(self._marker.read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return None
        return found if isinstance(found, dict) and {"process", "supervisor"} <= set(found) else None

    def _write(self, supervisor: tuple[int, Started] | None) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        process = [os.getpid(), started_of(os.getpid())]
        partial = self._marker.with_suffix(".partial")
        partial.write_bytes(orjson.dumps({"process": process, "supervisor": supervisor}))
        partial.replace(self._marker)


def _alive_elsewhere(process: list[Any]) -> bool:
    pid, started = process
    return pid != os.getpid() and is_alive(pid, started)
