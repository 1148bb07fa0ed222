"""``weir reproduce``: train a version again from its record alone, and compare digests."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.console import errors_as_sentences, print_json, stderr, stdout
from jobs.progress_bar import progress_bar
from jobs.settings import Settings

if TYPE_CHECKING:
    from jobs.training.reproduction import Reproduction

__all__ = ["reproduce"]


def reproduce(
    model: Annotated[str, typer.Argument(help="The registered model, for example fraud.")],
    version: Annotated[str, typer.Argument(help="Its version, for example 2.")],
    data: Annotated[
        list[Path] | None, typer.Option(help="Where a data file lies now; may be said more than once.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """Train a version again from its record, its parents first, and compare the artifacts' sha256.

    A fresh process imports the code the record holds, whatever the working copy is now; the data is found by its sha256, or
    in the tagged snapshot of the tables, or generated again. Exit code 1 if another artifact comes out, or if the record,
    the code or the data was changed.

    Example: weir reproduce fraud 2
    """
    with errors_as_sentences():
        from jobs.registry_access import registry_of
        from jobs.training.recorded_rows import RecordedRows
        from jobs.training.reproduction import reproduce_version

        settings = Settings()
        with progress_bar("reproduce", None, quiet=as_json) as done:
            result = reproduce_version(
                registry_of(settings),
                model,
                version,
                data=data or (),
                read_tables=RecordedRows(settings).of,
                progress=done,
            )
        if as_json:
            print_json({**asdict(result), "problem": result.problem})
        else:
            _say(result)
        if not result.equal:
            raise typer.Exit(1)


def _say(result: Reproduction) -> None:
    for step in result.steps:
        if step.problem is None:
            stdout.print(f"{result.model} version {step.version}: equal, {step.digest}", highlight=False)
        else:
            stderr.print(f"weir: {step.problem}", style="red", markup=False, highlight=False)
