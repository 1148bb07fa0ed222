"""``weir upgrade``: changed code or settings in place of the running job's."""

from __future__ import annotations

from typing import Annotated

import typer

from jobs.console import errors_as_sentences, print_json, stdout, steps
from jobs.running_stack import running_stack
from jobs.settings import Settings
from jobs.tables.fill_job import renew_tables
from jobs.upgrade import upgrade_job

__all__ = ["upgrade"]


def upgrade(
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object for programs")] = False,
) -> None:
    """Bring the code and settings at hand to run in place of the running job's, and print the pause.

    The job stops with a savepoint, its TaskManagers are replaced (they keep the old code's modules), and the new bundle goes
    on from the savepoint. If it fails before its first checkpoint, the old bundle goes on from there instead; exit code 2.
    The tables job, if it runs, is started anew where its SQL or its settings have changed.

    Example: git pull && make install && weir upgrade
    """
    with errors_as_sentences():
        settings = Settings()
        stack = running_stack(settings)
        with steps("upgrading") as step:
            version, change = upgrade_job(stack, settings, progress=step)
            tables = renew_tables(stack, settings, progress=step)
        if as_json:
            done = {"job_id": change.job_id, "savepoint": change.savepoint, "pause_s": change.pause_s} if change else {}
            print_json({"upgraded": change is not None, "build_id": version.build_id, "tables_job_id": tables, **done})
        elif change is None:
            stdout.print(f"the job runs build {version.build_id[:16]} with these settings already; nothing to do")
        else:
            stdout.print(
                f"job {change.job_id} runs build {version.build_id[:16]} from {change.savepoint}; "
                f"the pause was {change.pause_s} s",
                highlight=False,
            )
