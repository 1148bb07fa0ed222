"""Refuses to run code of another build than the one that was submitted, and keeps that code at hand.

In thread mode a TaskManager's interpreter keeps the modules of the job it ran before: a new job on an old TaskManager
would silently run old code. Every stage compares builds when it opens and fails loudly.

It also keeps the folder that a package was first imported from, which Flink removes when the job or its attempt ends: a
stage that comes to this TaskManager only later (the gate runs on one of them) would not be found. So the first stage
that opens imports them all.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from udfs import operators
from udfs.build_id import BUILD_ID
from udfs.domain.errors import JobError

__all__ = ["check_build"]


def check_build(submitted: str) -> None:
    """Raise :class:`JobError` unless the running code is the submitted build; import every stage of it."""
    if submitted != BUILD_ID:
        msg = (
            f"this TaskManager runs build {BUILD_ID}, the job was submitted with build {submitted}; "
            "replace the TaskManagers (weir submit does) and submit again"
        )
        raise JobError(msg)
    for module in iter_modules(operators.__path__, f"{operators.__name__}."):
        import_module(module.name)
