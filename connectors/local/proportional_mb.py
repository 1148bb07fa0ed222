"""How much memory a process takes, where what several share is counted once."""

from __future__ import annotations

import contextlib

import psutil

__all__ = ["proportional_mb"]


def proportional_mb(pid: int, *, children: bool) -> float:
    """Return a process's memory in MB, with its share of what it has in common with others; 0 when it is gone.

    Parameters
    ----------
    children
        Whether all that it started counts, too.
    """
    total = 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for each in [process, *(process.children(recursive=True) if children else [])]:
            with contextlib.suppress(psutil.Error):
                try:
                    total += each.memory_full_info().pss
                except psutil.AccessDenied:
                    total += each.memory_info().rss
    return round(total / 1e6, 1)
