"""Turns psycopg's exceptions into this project's errors; no foreign exception leaves ``connectors.postgres``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from udfs.domain.errors import ConnectionLostError, RegistryError

__all__ = ["postgres_errors"]


@contextmanager
def postgres_errors(doing: str) -> Iterator[None]:
    """Translate what psycopg raises inside the block.

    Parameters
    ----------
    doing
        What was attempted, for the sentence: "read the deployments".

    Raises
    ------
    ConnectionLostError
        The server does not answer, went away, or refuses the log-in.
    RegistryError
        The server refuses the statement; a sentence of our own triggers ("Weir: ...") is passed on as it is.
    """
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        msg = f"Could not {doing}: PostgreSQL does not answer ({_first_line(error)}). Is the stack up? See weir status."
        raise ConnectionLostError(msg) from error
    except psycopg.Error as error:
        text = _first_line(error)
        msg = (
            text.removeprefix("Weir: ") if text.startswith("Weir: ") else f"Could not {doing}: PostgreSQL said: {text}"
        )
        raise RegistryError(msg) from error


def _first_line(error: psycopg.Error) -> str:
    text = error.diag.message_primary or str(error)
    return text.strip().splitlines()[0] if text.strip() else type(error).__name__
