"""Processes of a stack whose supervisor is gone: found by their mark and by what the state recorded, and killed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import psutil

from connectors.local.process_identity import is_alive
from connectors.local.running_process import STACK_MARK
from connectors.local.stack_state import StackState

__all__ = ["kill_leftovers", "kill_marked"]


def kill_leftovers(home: Path, state: StackState | None) -> int:
    """Stop what is left of a stack; call it only when its supervisor is gone.

    Parameters
    ----------
    home
        The stack's folder.
    state
        What the dead supervisor last wrote; its process numbers count only with their start times.

    Returns
    -------
    int
        How many processes there were.
    """
    recorded = []
    for each in state.components.values() if state is not None else ():
        if each.pid and is_alive(each.pid, each.pid_started):
            with contextlib.suppress(psutil.Error):
                recorded.append(psutil.Process(each.pid))
    return _stop(recorded) + kill_marked(lambda mark: mark.rpartition("#")[0] == str(home))


def kill_marked(belongs: Callable[[str], bool]) -> int:
    """Stop processes by the mark in their environment.

    Parameters
    ----------
    belongs
        Told a mark, ``HOME#SUPERVISOR_PID``, whether its process is to be stopped.

    Returns
    -------
    int
        How many processes there were.
    """
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if belongs(process.environ().get(STACK_MARK, "")):
                found.append(process)
    return _stop(found)


def _stop(processes: list[psutil.Process]) -> int:
    """Stop processes, first kindly."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, stubborn = psutil.wait_procs(processes, timeout=5)
    for process in stubborn:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(stubborn, timeout=5)
    return len(processes)
