"""``weir submit``: start the scoring job."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from connectors.local.stack import LocalStack
from jobs.console import errors_as_sentences, print_json, stderr, stdout
from jobs.launch import flink_run_command
from jobs.running_stack import running_stack
from jobs.settings import Settings
from jobs.submission import pack_job, submit_job

__all__ = ["submit"]


def submit(
    savepoint: Annotated[str | None, typer.Option(help="start from this savepoint or retained checkpoint")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="pack the bundle and print the flink run by hand; submit nothing")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object for programs")] = False,
) -> None:
    """Submit the scoring job to the running stack and wait until it runs.

    TaskManagers that hold another build's code are replaced first. Without --savepoint the job reads its topics from the
    beginning.

    Example: weir submit --savepoint .weir/flink/savepoints/savepoint-1a2b3c
    """
    with errors_as_sentences():
        settings = Settings()
        stack = running_stack(settings)
        if dry_run:
            stdout.print(_by_hand(stack, settings, savepoint), markup=False, highlight=False)
            return
        with stderr.status("submitting") as status:
            job_id = submit_job(stack, settings, savepoint=savepoint, progress=status.update)
        page = stack.ports.addresses()["flink"]
        if as_json:
            print_json({"job_id": job_id, "page": page})
        else:
            stdout.print(f"job {job_id} runs; Flink's page is {page}")


def _by_hand(stack: LocalStack, settings: Settings, savepoint: str | None) -> str:
    """Return a line for a shell: Flink's environment, an empty folder, and ``flink run``."""
    version = pack_job(stack, settings, savepoint=savepoint)
    _, env, empty = stack.flink_environment()
    command = ["env", "-i", f"--chdir={empty}", *(f"{name}={value}" for name, value in env.items())]
    return shlex.join([*command, *flink_run_command(stack, version, savepoint)])
