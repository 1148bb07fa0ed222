"""``weir report``: the page as one static file, and its charts as PNGs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jobs.console import errors_as_sentences, print_json, stderr, stdout
from jobs.progress_bar import progress_bar
from jobs.settings import Settings

__all__ = ["report"]


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write; it is made if it is not there.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """Write the page of weir serve as it is now into DIR/index.html, which needs no server, and its charts as PNGs.

    It reads the topics inferences, model_quality, alerts, model_events and dead_letters, at most the newest 400,000 records
    of each, and the registry. What does not answer, but Kafka, is named on the page and leaves its part empty.

    Example: weir report build/report
    """
    with errors_as_sentences():
        from jobs.serving.serving_settings import plan_of
        from jobs.watching.open_watch import open_watch
        from jobs.watching.write_report import write_report

        plan = plan_of(Settings())
        watch = open_watch(plan.model, plan.bootstrap, plan.dsn, plan.mlflow, plan.flink)
        with progress_bar("read the topics", None, quiet=as_json) as done:
            document = watch.read_all(done)
        written = write_report(document, watch.quality_rows(), folder)
        troubles = document["reading"]["troubles"]
        if as_json:
            print_json({"files": [str(path) for path in written], "troubles": troubles, "totals": document["totals"]})
            return
        for trouble in troubles:
            stderr.print(f"weir: {trouble}", markup=False, highlight=False)
        for path in written:
            stdout.print(str(path), highlight=False, markup=False)
