"""``weir scale``: the scoring job on more or fewer TaskManagers."""

from __future__ import annotations

from typing import Annotated

import typer

from jobs.console import errors_as_sentences, print_json, stdout, steps
from jobs.running_stack import running_stack
from jobs.settings import Settings
from jobs.upgrade import scale_job

__all__ = ["scale"]


def scale(
    parallelism: Annotated[int, typer.Argument(metavar="N", help="TaskManagers, and subtasks of each stage")],
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object for programs")] = False,
) -> None:
    """Run the scoring job with N subtasks of each stage on N TaskManagers, by savepoint, and print the pause.

    N is at most the number of shards (WEIR_SHARDS). If the job does not come to run, it goes on as before; exit code 2.

    Example: weir scale 4
    """
    with errors_as_sentences():
        stack = running_stack(Settings())
        with steps("scaling") as step:
            version, change = scale_job(stack, parallelism, progress=step)
        if as_json:
            done = {"job_id": change.job_id, "savepoint": change.savepoint, "pause_s": change.pause_s} if change else {}
            print_json({"scaled": change is not None, "parallelism": version.parallelism, **done})
        elif change is None:
            stdout.print(f"the job has {parallelism} subtasks of each stage already; nothing to do")
        else:
            stdout.print(
                f"job {change.job_id} runs on {parallelism} TaskManagers from {change.savepoint}; the pause was "
                f"{change.pause_s} s. For the next weir up and weir submit: WEIR_PARALLELISM={parallelism}",
                highlight=False,
            )
