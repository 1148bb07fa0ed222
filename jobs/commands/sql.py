"""``weir sql``: Flink's SQL client over the tables, topics and views."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from jobs.console import errors_as_sentences, print_json, stderr
from jobs.running_stack import running_stack
from jobs.settings import Settings
from jobs.tables.answers import answers
from jobs.tables.session import open_session, run_file, write_session_script
from udfs.domain.errors import SettingsError

__all__ = ["sql"]


def sql(
    file: Annotated[Path | None, typer.Option("-f", "--file", help="run the statements of a file and end")] = None,
    training_tag: Annotated[
        str | None,
        typer.Option(help="tag of the snapshot of inferences that drift is measured against; the newest tag"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print each answer as one JSON object, with -f only")] = False,
) -> None:
    """Ask the tables in Flink's own SQL client: tables (weir.inferences), views (weir.roc_auc_by_day), and topics as tables.

    Topics are kafka.topics.inferences and so on. Questions are answered one at a time, on a TaskManager kept free for them.
    Exit code 2 if a statement fails.

    Example: weir sql -f question.sql
    """
    with errors_as_sentences():
        settings = Settings()
        stack = running_stack(settings)
        if file is not None and not file.is_file():
            msg = f"there is no file {file}; give one with SQL statements, each ended by a semicolon"
            raise SettingsError(msg)
        if as_json and file is None:
            msg = "--json prints the answers to a file of statements; give one with -f"
            raise SettingsError(msg)
        with stderr.status("looking up the tables"):
            begin = write_session_script(stack, settings, training_tag)
        if as_json and file is not None:
            with stderr.status("asking"):
                document = {"answers": answers(stack, begin, file)}
            print_json(document)
            return
        if file is None:
            well = open_session(stack, begin) == 0
        else:
            well = run_file(stack, begin, file, sys.stdout.write)
    if not well:
        raise typer.Exit(2)
