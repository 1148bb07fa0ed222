"""``weir up``: start the local stack."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from connectors.local.stack import LocalStack
from jobs.console import errors_as_sentences, print_json, stderr
from jobs.local_stack import local_stack
from jobs.settings import Settings
from jobs.stack_view import StackView, download_progress

__all__ = ["up"]


def up(json: Annotated[bool, typer.Option("--json", help="Print one JSON document when it is up.")] = False) -> None:
    """Start Kafka, PostgreSQL, Kafka Connect, S3, MLflow and Flink on this machine; does nothing if they run.

    Example: WEIR_HOME=/data/weir weir up
    """
    with errors_as_sentences():
        stack = local_stack(Settings())
        begun = time.monotonic()
        fetch_archives(stack, quiet=json)
        with StackView(quiet=json) as view:
            started = stack.up(view.show)
        seconds = round(time.monotonic() - begun, 1)
        if json:
            print_json({"started": started, "seconds": seconds, "addresses": stack.ports.addresses()})
        elif started:
            stderr.print(f"The stack is up after {seconds} s; `weir status` shows it.", highlight=False)
        else:
            stderr.print("The stack is running already; `weir status` shows it.")


def fetch_archives(stack: LocalStack, *, quiet: bool) -> None:
    """Download what is missing, with a progress bar on a terminal and one line elsewhere.

    Parameters
    ----------
    stack
        Whose archives.
    quiet
        Show nothing.
    """
    with download_progress(quiet=quiet) as bars:
        task = bars.add_task("downloading", total=None, visible=False)
        said = False

        def show(name: str, done: int, total: int) -> None:
            nonlocal said
            if not said and bars.disable and not quiet:
                stderr.print(f"downloading {total / 1e6:.0f} MB", highlight=False)
            said = True
            bars.update(task, completed=done, total=total, description=name, visible=True)

        stack.fetch(show)
