"""Which code is running: the commit it was checked out from, and whether it was changed since."""

from __future__ import annotations

import subprocess
from pathlib import Path

__all__ = ["code_record"]


def code_record(folder: Path | None = None) -> dict[str, str | bool]:
    """Return ``{"commit": ..., "dirty": ...}``; the commit is ``unknown`` outside a git work tree.

    Parameters
    ----------
    folder
        Where to ask git; by default where this package lies.
    """
    where = Path(__file__).parent if folder is None else folder
    commit = _git(where, "rev-parse", "HEAD")
    # A repository without a commit prints "HEAD" and fails; an installed package is in no work tree at all.
    if commit is None:
        return {"commit": "unknown", "dirty": True}
    status = _git(where, "status", "--porcelain", "--untracked-files=normal")
    return {"commit": commit.strip(), "dirty": bool(status is None or status.strip())}


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
