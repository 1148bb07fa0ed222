"""The TaskManagers of a running local stack: how many there are, more or fewer of them, all of them new."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

from connectors.local.flink_rest import FlinkRest
from connectors.local.stack import LocalStack
from connectors.local.stack_state import ComponentState
from udfs.domain.errors import StackError

__all__ = ["RESERVED", "TaskManagers"]

PREFIX = "taskmanager-"
INTERPRETER = "pemja"
"""Part of the name of the library that a TaskManager loads with its first Python stage, and never unloads."""
RESERVED = 2
"""Besides those of the scoring job: a slot for the tables job, and one for a question in SQL. Who gets which is Flink's
choice; when a TaskManager dies, the free one takes its place until its successor is there."""


class TaskManagers:
    """Changes the TaskManagers of a stack through the supervisor's control files.

    Parameters
    ----------
    stack
        A running stack.
    timeout_s
        Seconds until a change must be done.

    Raises
    ------
    StackError
        By every method that changes something, if it is not done in time.
    """

    def __init__(self, stack: LocalStack, timeout_s: float = 180.0) -> None:
        self._stack, self._timeout_s = stack, timeout_s
        self._flink = FlinkRest(stack.ports.addresses()["flink"])

    @property
    def count(self) -> int:
        """How many the supervisor runs for the scoring job."""
        return len(self._states()) - RESERVED

    def scale(self, count: int) -> None:
        """Have so many for the scoring job; wait until they, and nobody else, are registered with the JobManager."""
        total = count + RESERVED
        (self._stack.home / "control" / f"task-managers-{total}").touch()

        def settled() -> bool:
            states = self._states()
            ready = len(states) == total and all(each.state == "ready" for each in states.values())
            # One that is gone but still registered would be given tasks.
            return ready and len(self._flink.taskmanagers()) == total

        self._wait(f"there were not {total} TaskManagers", settled)

    def replace(self) -> None:
        """Stop each one that has run Python and wait until Flink knows none of them any more.

        Their successors come by themselves. Who submits a job now need not wait for them: Flink gives it their slots when
        they are there, and those of TaskManagers that never held any code at once.
        """
        states = self._states()
        stale = {name for name, each in states.items() if _has_run_python(each)}
        before = {each["id"] for each in self._flink.taskmanagers() if each["id"].rpartition(".")[0] in stale}
        for name in stale:
            (self._stack.home / "control" / f"restart-{name}").touch()
        self._wait(
            "the TaskManagers did not end", lambda: not before & {each["id"] for each in self._flink.taskmanagers()}
        )

    def _states(self) -> dict[str, ComponentState]:
        state = self._stack.status()
        components = state.components if state is not None else {}
        return {name: each for name, each in components.items() if name.startswith(PREFIX)}

    def _wait(self, what: str, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self._timeout_s
        while time.monotonic() < deadline:
            if done():
                return
            time.sleep(0.2)
        msg = f"{what} after {self._timeout_s:.0f} s; see: weir status, and the logs in {self._stack.home / 'logs'}"
        raise StackError(msg)


def _has_run_python(component: ComponentState) -> bool:
    """Tell whether a TaskManager's process has loaded an interpreter; yes where the system does not say."""
    try:
        return any(INTERPRETER in each.path for each in psutil.Process(component.pid).memory_maps())
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True
