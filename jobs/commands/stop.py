"""``weir stop``: stop the scoring job with a savepoint, and the tables job."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from jobs.console import errors_as_sentences, print_json, stdout, steps
from jobs.running_stack import running_stack
from jobs.settings import Settings
from jobs.submission import stop_job
from jobs.tables.fill_job import stop_tables
from udfs.domain.errors import JobError

__all__ = ["stop"]


def stop(
    only: Annotated[Literal["scoring", "tables"] | None, typer.Option(help="stop only one of the two jobs")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object for programs")] = False,
) -> None:
    """Stop the scoring job with a savepoint, from which ``weir submit --savepoint`` goes on, and the tables job.

    What the tables job has read is in the tables when it stops; it needs no savepoint to go on.

    Example: weir stop
    """
    with errors_as_sentences():
        stack = running_stack(Settings())
        with steps("stopping with a savepoint"):
            savepoint = None if only == "tables" else stop_job(stack)
            tables = None if only == "scoring" else stop_tables(stack)
        if only == "tables" and not tables:
            msg = "the tables job does not run; nothing to stop (start it with: weir submit --only tables)"
            raise JobError(msg)
        if as_json:
            print_json({"savepoint": savepoint, "tables_stopped": tables})
        elif savepoint is None:
            stdout.print("the tables job is stopped; go on later with: weir submit --only tables")
        else:
            stdout.print(f"stopped; go on later with: weir submit --savepoint {savepoint}")
