"""One process of the stack as the supervisor holds it: started, watched, asked to stop, killed with its session."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from connectors.local.component import Command
from connectors.local.process_identity import started_of

__all__ = ["STACK_MARK", "RunningProcess"]

STACK_MARK = "WEIR_STACK_HOME"
"""Environment variable of every process of a stack and of its children, ``HOME#SUPERVISOR_PID``: leftovers carry it."""


class RunningProcess:
    """A component's process, leader of a session of its own.

    Must be created in the supervisor's main thread: the kernel kills the child when the *thread* that started it ends.

    Parameters
    ----------
    command
        What to run.
    log
        The file that gets its standard output and error, appended.
    mark
        The stack and the supervisor it belongs to; see :data:`STACK_MARK`.
    """

    def __init__(self, command: Command, log: Path, mark: str) -> None:
        guard = [sys.executable, "-I", "-S", str(Path(__file__).with_name("guard.py")), str(os.getpid())]
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*guard, command.user or "-", *command.argv],
                cwd=command.cwd,
                env={**command.env, STACK_MARK: mark},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._process.pid
        self.started = started_of(self.pid)
        self._stop_signal = command.stop_signal

    def exit_code(self) -> int | None:
        """Return None while it runs, else its exit code; negative for a signal."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        """Send the stop signal to the process itself; its children are its own business while it lives."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(self._stop_signal)

    def kill(self) -> None:
        """Kill what is left of the process and its session; harmless when nothing is."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
