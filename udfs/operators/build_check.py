"""Refuses to run code of another build than the one that was submitted.

In thread mode a TaskManager's interpreter keeps the modules of the job it ran before: a new job on an old TaskManager
would silently run old code. Every stage compares builds when it opens and fails loudly.
"""

from __future__ import annotations

from udfs.build_id import BUILD_ID
from udfs.domain.errors import JobError

__all__ = ["check_build"]


def check_build(submitted: str) -> None:
    """Raise :class:`JobError` unless the running code is the submitted build."""
    if submitted != BUILD_ID:
        msg = (
            f"this TaskManager runs build {BUILD_ID}, the job was submitted with build {submitted}; "
            "replace the TaskManagers (weir submit does) and submit again"
        )
        raise JobError(msg)
