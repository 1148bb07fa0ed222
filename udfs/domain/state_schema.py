"""The first byte of every keyed state value says how the rest is to be read."""

from __future__ import annotations

from udfs.domain.errors import JobError

__all__ = ["check_schema"]


def check_schema(found: int, known: int, what: str) -> None:
    """Refuse a state value that another version of this code wrote.

    Raises
    ------
    JobError
        If the value's schema is not the known one.
    """
    if found != known:
        msg = (
            f"The state of {what} has schema {found}, this version reads schema {known}; "
            "restore the savepoint with the version that wrote it."
        )
        raise JobError(msg)
