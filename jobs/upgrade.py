"""Upgrades and rescales the scoring job of a running stack."""

from __future__ import annotations

from collections.abc import Callable

from connectors.local.stack import LocalStack
from jobs.job_change import JobChange
from jobs.job_version import JobVersion
from jobs.settings import Settings
from jobs.submission import pack_job, running_job
from udfs.domain.errors import JobError, SettingsError

__all__ = ["scale_job", "upgrade_job"]


def upgrade_job(
    stack: LocalStack, settings: Settings, progress: Callable[[str], None] = lambda _: None
) -> tuple[JobVersion, JobChange | None]:
    """Bring the code and settings at hand to run in place of the running job's; its parallelism stays.

    Returns
    -------
    tuple
        The version that runs now, and what was done; None when the job ran that version already.

    Raises
    ------
    JobError
        When no job runs, or the new version failed and the old one runs again.
    SettingsError
        When the number of shards would change.
    """
    job_id, old = _running_version(stack)
    progress("packing the bundle")
    new = pack_job(stack, settings, savepoint="its own").with_parallelism(old.parallelism)
    if new.arguments.stages.shards != old.arguments.stages.shards:
        msg = (
            f"WEIR_SHARDS is {new.arguments.stages.shards}, the running job has {old.arguments.stages.shards}; it is fixed "
            "for a deployment: set it back, or stop the job and submit it from the beginning"
        )
        raise SettingsError(msg)
    if new == old.from_savepoint():
        return old, None
    return new, JobChange.make(stack, job_id, old, new, progress=progress)


def scale_job(
    stack: LocalStack, parallelism: int, progress: Callable[[str], None] = lambda _: None
) -> tuple[JobVersion, JobChange | None]:
    """Run the same code and settings with so many subtasks of each stage, on as many TaskManagers.

    Parameters
    ----------
    parallelism
        From 1 to the number of shards.

    Raises
    ------
    JobError
        When no job runs, or it did not come to run and runs as before.
    SettingsError
        When the number cannot be.
    """
    job_id, old = _running_version(stack)
    shards = old.arguments.stages.shards
    if not 1 <= parallelism <= shards:
        msg = f"the job cannot be scaled to {parallelism}; give a number from 1 to {shards}, its shards (WEIR_SHARDS)"
        raise SettingsError(msg)
    if parallelism == old.parallelism:
        return old, None
    new = old.from_savepoint().with_parallelism(parallelism)
    return new, JobChange.make(stack, job_id, old, new, progress=progress)


def _running_version(stack: LocalStack) -> tuple[str, JobVersion]:
    job_id = running_job(stack)
    if job_id is None:
        msg = "the scoring job does not run; start it with: weir submit"
        raise JobError(msg)
    version = JobVersion.recorded(stack.home, job_id)
    if version is None:
        msg = (
            f"job {job_id} was not started by weir submit, so there is nothing known to go back to; "
            "use: weir stop, then weir submit --savepoint"
        )
        raise JobError(msg)
    return job_id, version
