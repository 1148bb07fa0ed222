"""Which process a number meant: by when it began, counted since the machine's start, which no step of the clock moves."""

from __future__ import annotations

from pathlib import Path

import psutil

__all__ = ["Started", "is_alive", "started_of"]

Started = str | float
"""What :func:`started_of` returns; a number of seconds in files that versions up to 0.1 wrote, and 0 for none."""

_PROC = Path("/proc")
_AFTER_NAME, _STATE, _START = ") ", 0, 19
"""In ``/proc/PID/stat`` a name in brackets comes second, which may hold anything; then fields from the third on."""


def started_of(pid: int) -> Started:
    """Return when a process began: the machine's start and the ticks since then; 0.0 for a process that is not there.

    Seconds since 1970 would not do: the kernel knows ticks, and whoever turns them into a time adds the clock of now.
    """
    fields = _stat(pid)
    if fields is None:
        return 0.0
    return f"{_boot()}/{fields[_START]}"


def is_alive(pid: int, started: Started) -> bool:
    """Tell whether a process still is the one that began then; numbers of dead processes are used again."""
    fields = _stat(pid)
    if fields is None or fields[_STATE] in "ZX":
        return False
    if isinstance(started, str):
        return started == f"{_boot()}/{fields[_START]}"
    try:
        return abs(psutil.Process(pid).create_time() - started) < 1
    except psutil.NoSuchProcess:
        return False


def _stat(pid: int) -> list[str] | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(_AFTER_NAME)[2].split()


def _boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"
