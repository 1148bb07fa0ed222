"""Turns the exceptions of pyiceberg and what it stands on into this project's errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from udfs.domain.errors import ConnectionLostError, TablesError

__all__ = ["iceberg_errors"]


@contextmanager
def iceberg_errors(doing: str) -> Iterator[None]:
    """Translate what is raised inside the block.

    Parameters
    ----------
    doing
        What was attempted, for the sentence: "read the table weir.inferences".

    Raises
    ------
    ConnectionLostError
        PostgreSQL or S3 does not answer.
    TablesError
        The table is not there, or someone else changed it at the same moment.
    """
    from pyiceberg.exceptions import CommitFailedException, NoSuchTableError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except NoSuchTableError as error:
        msg = f"Could not {doing}: there is no such table yet. Start the tables job, which makes it: weir submit."
        raise TablesError(msg) from error
    except CommitFailedException as error:
        msg = f"Could not {doing}: another writer was quicker ({error}). Try again."
        raise TablesError(msg) from error
    except SQLAlchemyError as error:
        line = str(error).splitlines()[0]
        msg = (
            f"Could not {doing}: its catalog in PostgreSQL does not answer ({line}). Is the stack up? See weir status."
        )
        raise ConnectionLostError(msg) from error
    except OSError as error:  # what pyarrow raises of S3
        msg = f"Could not {doing}: S3 does not answer ({str(error)[:300]}). Is the stack up? See weir status."
        raise ConnectionLostError(msg) from error
