"""``weir submit``: start the scoring job and the tables job."""

from __future__ import annotations

import shlex
from typing import Annotated, Literal

import typer

from connectors.local.stack import LocalStack
from jobs.console import errors_as_sentences, print_json, stdout, steps
from jobs.launch import flink_run_command
from jobs.running_stack import running_stack
from jobs.settings import Settings
from jobs.submission import pack_job, submit_job
from jobs.tables.fill_job import running_tables, start_tables

__all__ = ["submit"]


def submit(
    savepoint: Annotated[str | None, typer.Option(help="start from this savepoint or retained checkpoint")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="pack the bundle and print the flink run by hand; submit nothing")
    ] = False,
    only: Annotated[Literal["scoring", "tables"] | None, typer.Option(help="submit only one of the two jobs")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object for programs")] = False,
) -> None:
    """Submit the scoring job and the tables job to the running stack and wait until they run.

    TaskManagers that hold another build's code are replaced first. Without --savepoint the scoring job reads its topics from
    the beginning. The tables job needs none: it goes on behind the last record that is in each table.

    Example: weir submit --savepoint .weir/flink/savepoints/savepoint-1a2b3c
    """
    with errors_as_sentences():
        settings = Settings()
        stack = running_stack(settings)
        if dry_run:
            stdout.print(_by_hand(stack, settings, savepoint), markup=False, highlight=False)
            return
        jobs: dict[str, str] = {}
        with steps("submitting") as step:
            if only != "tables":
                jobs["job_id"] = submit_job(stack, settings, savepoint=savepoint, progress=step)
            if only != "scoring":
                there = None if only else running_tables(stack)
                jobs["tables_job_id"] = there or start_tables(stack, settings, progress=step)
        page = stack.ports.addresses()["flink"]
        if as_json:
            print_json({**jobs, "page": page})
        else:
            stdout.print(f"job {' and '.join(jobs.values())} runs; Flink's page is {page}")


def _by_hand(stack: LocalStack, settings: Settings, savepoint: str | None) -> str:
    """Return a line for a shell: Flink's environment, an empty folder, and ``flink run``."""
    version = pack_job(stack, settings, savepoint=savepoint)
    _, env, empty = stack.flink_environment()
    command = ["env", "-i", f"--chdir={empty}", *(f"{name}={value}" for name, value in env.items())]
    return shlex.join([*command, *flink_run_command(stack, version, savepoint)])
