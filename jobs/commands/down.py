"""``weir down``: stop the local stack."""

from __future__ import annotations

from typing import Annotated

import typer

from jobs.console import errors_as_sentences, print_json, stderr
from jobs.local_stack import local_stack
from jobs.settings import Settings
from jobs.stack_view import StackView

__all__ = ["down"]


def down(
    purge: Annotated[bool, typer.Option("--purge", help="Also remove the home with all data and logs.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Stop what `weir up` started, and nothing else; data stay unless --purge is given.

    Example: weir down --purge
    """
    with errors_as_sentences():
        stack = local_stack(Settings())
        with StackView(quiet=json) as view:
            was_running = stack.down(purge=purge, progress=view.show)
        if json:
            print_json({"was_running": was_running, "purged": purge})
            return
        stderr.print("The stack is down." if was_running else "The stack was not running.")
        if purge:
            stderr.print(f"{stack.home} is removed.", highlight=False)
