"""Refuses to run code of another build than the one that was submitted, and keeps that code at hand.

In thread mode a TaskManager's interpreter keeps the modules of the job it ran before: a new job on an old TaskManager
would silently run old code. Every stage compares builds when it opens and fails loudly.

It also keeps the folder that a package was first imported from, which Flink removes when the job or its attempt ends: a
stage that comes to this TaskManager only later (the gate runs on one of them) would not be found. So the first stage
that opens imports them all. Where the folder was removed while it did so (the TaskManager was slow to start and was given
up for dead), the interpreter can run nothing any more, in no attempt: the process ends, and its successor begins anew.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

from udfs import operators
from udfs.build_id import BUILD_ID, SOURCE_TREE
from udfs.domain.errors import JobError

__all__ = ["EXIT_CODE", "check_build"]

STAGES = ("customer_stage", "gate_stage", "quality_stage", "score_stage", "terminal_stage", "truth_join_stage")
EXIT_CODE = 70


def check_build(submitted: str) -> None:
    """Raise :class:`JobError` unless the running code is the submitted build; import every stage of it."""
    if BUILD_ID == SOURCE_TREE != submitted and not Path(operators.__path__[0]).exists():
        _leave()
    if submitted != BUILD_ID:
        msg = (
            f"this TaskManager runs build {BUILD_ID}, the job was submitted with build {submitted}; "
            "replace the TaskManagers (weir submit does) and submit again"
        )
        raise JobError(msg)
    try:
        for name in STAGES:
            import_module(f"{operators.__name__}.{name}")
    except ModuleNotFoundError:
        if Path(operators.__path__[0]).exists():
            raise
        _leave()


def _leave() -> None:
    os.write(
        2, b"Weir: the bundle was removed while it was imported; this TaskManager ends so that another one starts.\n"
    )
    os._exit(EXIT_CODE)
