"""Changes a running job by savepoint: other code, other settings, other parallelism; and back if that fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from connectors.local.flink_rest import FlinkRest
from connectors.local.stack import LocalStack
from connectors.local.task_managers import TaskManagers
from jobs.job_version import JobVersion
from jobs.launch import ENDED, START_TIMEOUT_S, launch, root_cause
from udfs.domain.errors import JobError, WeirError

__all__ = ["JobChange"]


@dataclass(frozen=True, slots=True)
class JobChange:
    """What a change did.

    Parameters
    ----------
    job_id
        The job that runs now.
    savepoint
        Where it went on from.
    pause_s
        Seconds from the request to stop until every task ran again.
    """

    job_id: str
    savepoint: str
    pause_s: float

    @classmethod
    def make(
        cls,
        stack: LocalStack,
        job_id: str,
        old: JobVersion,
        new: JobVersion,
        *,
        progress: Callable[[str], None] = lambda _: None,
        timeout_s: float = START_TIMEOUT_S,
    ) -> JobChange:
        """Stop a job with a savepoint and go on from it with another version.

        The new version is taken when it has completed a checkpoint without a failure. Until then none of its exactly-once
        records is committed, so going back to the savepoint loses nothing and repeats nothing.

        Raises
        ------
        JobError
            When the new version failed; the message says whether the old one runs again, and from where.
        """
        flink = FlinkRest(stack.ports.addresses()["flink"])
        managers = TaskManagers(stack)
        if managers.count < new.parallelism:
            progress(f"starting TaskManagers: {new.parallelism} instead of {managers.count}")
            managers.scale(new.parallelism)
        progress("stopping with a savepoint")
        begun = time.monotonic()
        savepoint = flink.stop(job_id, timeout_s=timeout_s)
        started: list[str] = []
        try:
            if managers.count > new.parallelism:
                progress(f"stopping TaskManagers: {new.parallelism} instead of {managers.count}")
                managers.scale(new.parallelism)
            started.append(launch(stack, new, savepoint=savepoint, progress=progress, timeout_s=timeout_s))
            pause_s = time.monotonic() - begun
            progress("waiting for its first checkpoint")
            _wait_for_checkpoint(flink, started[0], new, timeout_s)
        except WeirError as error:
            raise JobError(_go_back(stack, old, savepoint, started, error, begun, progress)) from error
        except KeyboardInterrupt as interrupt:
            msg = f"interrupted when the job was stopped; see weir status; go on with: weir submit --savepoint {savepoint}"
            raise JobError(msg) from interrupt
        return cls(started[0], savepoint, round(pause_s, 1))


def _wait_for_checkpoint(flink: FlinkRest, job_id: str, version: JobVersion, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s + 2 * version.arguments.checkpoint_interval_ms / 1000
    while time.monotonic() < deadline:
        if flink.exceptions(job_id):
            msg = f"it failed before its first checkpoint: {root_cause(flink, job_id)}"
            raise JobError(msg)
        if flink.checkpoints(job_id)["counts"]["completed"]:
            return
        time.sleep(0.3)
    msg = f"it completed no checkpoint within {timeout_s:.0f} s"
    raise JobError(msg)


def _go_back(
    stack: LocalStack,
    old: JobVersion,
    savepoint: str,
    started: list[str],
    error: WeirError,
    begun: float,
    progress: Callable[[str], None],
) -> str:
    """Bring the old version back to run and return the sentence about it."""
    what = f"the new version was not taken: {str(error).rstrip('.')}"
    try:
        origin = savepoint
        for job_id in started:
            progress("cancelling the new version")
            origin = _cancel(FlinkRest(stack.ports.addresses()["flink"]), job_id) or savepoint
        progress("going back to the old version")
        managers = TaskManagers(stack)
        if managers.count != old.parallelism:
            managers.scale(old.parallelism)
        back = launch(stack, old.from_savepoint(), savepoint=origin, progress=progress)
    except WeirError as second:
        return (
            f"{what}; going back failed, too: {second}; the job is stopped, its savepoint is {savepoint}; "
            "with the old code: weir submit --savepoint"
        )
    pause_s = time.monotonic() - begun
    return f"{what}; build {old.build_id[:16]} runs again from {origin} as job {back}, after a pause of {pause_s:.1f} s"


def _cancel(flink: FlinkRest, job_id: str, timeout_s: float = 60.0) -> str | None:
    """Cancel a job, wait for its end, and return a checkpoint it completed after all."""
    with suppress(JobError):  # it may just have ended by itself
        flink.cancel(job_id)
    deadline = time.monotonic() + timeout_s
    while flink.state(job_id) not in ENDED and time.monotonic() < deadline:
        time.sleep(0.2)
    completed = flink.checkpoints(job_id)["latest"]["completed"]
    return str(completed["external_path"]) if completed else None
