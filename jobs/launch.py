"""Brings a version of the job to run with ``flink run``, on TaskManagers that hold no other build's code."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress

from connectors.local.flink_rest import FlinkRest
from connectors.local.stack import LocalStack
from connectors.local.task_managers import TaskManagers
from jobs.job_version import JobVersion
from udfs.domain.errors import ConnectionLostError, JobError, WeirError

__all__ = ["START_TIMEOUT_S", "flink_run_command", "launch", "root_cause", "wait_until_running"]

SUBMITTED = re.compile(r"JobID ([0-9a-f]{32})")
ENDED = ("FAILED", "CANCELED", "FINISHED")
START_TIMEOUT_S = 240.0
"""Until every task of a job must run: on a slow machine 120 were nearly used up."""
LAST_RAN = "flink/build_id"
UNKNOWN_BUILD = "unknown"


def launch(
    stack: LocalStack,
    version: JobVersion,
    *,
    savepoint: str | None,
    progress: Callable[[str], None],
    timeout_s: float = START_TIMEOUT_S,
) -> str:
    """Submit a version and wait until every task runs; return the job's id.

    Parameters
    ----------
    savepoint
        Where it goes on from; None for the beginning of the topics.

    Raises
    ------
    JobError
        When Flink refuses it or it does not come to run in ``timeout_s`` seconds; it is cancelled then.
    """
    _prepare_task_managers(stack, version, progress)
    progress("submitting to Flink")
    job_id = _flink_run(stack, version, savepoint)
    flink = FlinkRest(stack.ports.addresses()["flink"])
    progress("waiting for every task to run")
    try:
        wait_until_running(flink, job_id, timeout_s)
    except JobError:
        # Whatever the TaskManagers hold now, the next submission gets new ones.
        (stack.home / LAST_RAN).write_text(UNKNOWN_BUILD, encoding="ascii")
        with suppress(WeirError):
            if flink.state(job_id) not in ENDED:
                flink.cancel(job_id)
        raise
    version.record(stack.home, job_id)
    return job_id


def flink_run_command(stack: LocalStack, version: JobVersion, savepoint: str | None) -> list[str]:
    """Return the ``flink run`` that submits a version."""
    flink, _, _ = stack.flink_environment()
    restore = ["-s", savepoint] if savepoint else []
    entry = ["-pyfs", str(version.bundle), "-pym", "jobs.run_scoring", version.arguments.to_json()]
    return [str(flink), "run", "-d", *restore, *entry]


def root_cause(flink: FlinkRest, job_id: str) -> str:
    r"""Return the innermost message of a job's newest exception, for people.

    Examples
    --------
    >>> _innermost("o.a.FlinkException: It failed.\n\tat x\nCaused by: java.lang.RuntimeException: The disk is full.\n")
    'The disk is full.'
    """
    exceptions = flink.exceptions(job_id)
    return _innermost(str(exceptions[0]["stacktrace"])) if exceptions else "no exception was reported"


def _innermost(trace: str) -> str:
    causes = [line.removeprefix("Caused by: ") for line in trace.splitlines() if line.startswith("Caused by: ")]
    line = causes[-1] if causes else (trace.splitlines() or [""])[0]
    return re.sub(r"^(?:<class '[\w.]+'>: |[\w.$]+(?:Exception|Error): )+", "", line)[:600]


def _prepare_task_managers(stack: LocalStack, version: JobVersion, progress: Callable[[str], None]) -> None:
    managers = TaskManagers(stack)
    if managers.count < version.parallelism:
        progress(f"starting TaskManagers: {version.parallelism} instead of {managers.count}")
        managers.scale(version.parallelism)
    # In thread mode a TaskManager's interpreter keeps the modules of the build it ran before.
    ran = stack.home / LAST_RAN
    if ran.exists() and ran.read_text(encoding="ascii") != version.build_id:
        progress("replacing the TaskManagers, which hold another build's code")
        managers.replace()
    ran.parent.mkdir(parents=True, exist_ok=True)
    ran.write_text(version.build_id, encoding="ascii")


def _flink_run(stack: LocalStack, version: JobVersion, savepoint: str | None) -> str:
    _, env, empty = stack.flink_environment()
    command = flink_run_command(stack, version, savepoint)
    log = stack.home / "logs" / "submit.log"
    done = subprocess.run(command, env=env, cwd=empty, capture_output=True, text=True, timeout=300, check=False)
    log.write_text(done.stdout + done.stderr, encoding="utf-8")
    submitted = SUBMITTED.search(done.stdout)
    if done.returncode or not submitted:
        msg = f"Flink did not take the job (flink run ended with {done.returncode}); its output is in {log}"
        raise JobError(msg)
    return submitted.group(1)


def wait_until_running(flink: FlinkRest, job_id: str, timeout_s: float) -> None:
    """Wait until every task of a job runs.

    Raises
    ------
    JobError
        When it ended, or does not run after so many seconds; the message says why.
    """
    deadline = time.monotonic() + timeout_s
    state = "unknown"
    while time.monotonic() < deadline:
        with suppress(ConnectionLostError):  # a busy JobManager may be late with one answer
            if flink.all_run(job_id):
                return
            state = flink.state(job_id)
            if state in ENDED:
                break
        time.sleep(0.25)
    msg = f"the job did not come to run within {timeout_s:.0f} s; it is {state}: {root_cause(flink, job_id)}"
    raise JobError(msg)
