"""``weir submit``: start the scoring job."""

from __future__ import annotations

from typing import Annotated

import typer

from jobs.console import errors_as_sentences, print_json, stderr, stdout
from jobs.running_stack import running_stack
from jobs.settings import Settings
from jobs.submission import submit_job

__all__ = ["submit"]


def submit(
    savepoint: Annotated[str | None, typer.Option(help="start from this savepoint or retained checkpoint")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object for programs")] = False,
) -> None:
    """Submit the scoring job to the running stack and wait until it runs.

    Without --savepoint the job reads its topics from the beginning.

    Example: weir submit --savepoint .weir/flink/savepoints/savepoint-1a2b3c
    """
    with errors_as_sentences():
        settings = Settings()
        stack = running_stack(settings)
        with stderr.status("submitting") as status:
            job_id = submit_job(stack, settings, savepoint=savepoint, progress=status.update)
        page = stack.ports.addresses()["flink"]
        if as_json:
            print_json({"job_id": job_id, "page": page})
        else:
            stdout.print(f"job {job_id} runs; Flink's page is {page}")
