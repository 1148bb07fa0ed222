"""``weir stop``: stop the scoring job with a savepoint."""

from __future__ import annotations

from typing import Annotated

import typer

from jobs.console import errors_as_sentences, print_json, stderr, stdout
from jobs.running_stack import running_stack
from jobs.settings import Settings
from jobs.submission import stop_job

__all__ = ["stop"]


def stop(as_json: Annotated[bool, typer.Option("--json", help="print one JSON object for programs")] = False) -> None:
    """Stop the scoring job with a savepoint, from which ``weir submit --savepoint`` goes on.

    Example: weir stop
    """
    with errors_as_sentences():
        stack = running_stack(Settings())
        with stderr.status("stopping with a savepoint"):
            savepoint = stop_job(stack)
        if as_json:
            print_json({"savepoint": savepoint})
        else:
            stdout.print(f"stopped; go on later with: weir submit --savepoint {savepoint}")
