"""Starting and stopping the scoring job on a running stack, around ``flink run``."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import requests

from connectors.local.flink_rest import FlinkRest
from connectors.local.stack import LocalStack
from jobs.bundle import build_bundle
from jobs.job_arguments import JobArguments
from jobs.registry_access import metadata_store_of
from jobs.settings import DAY_MS, Settings
from udfs.domain.errors import JobError
from udfs.operators.stage_settings import StageSettings

__all__ = ["JOB_NAME", "running_job", "stop_job", "submit_job"]

JOB_NAME = "weir-scoring"
SUBMITTED = re.compile(r"JobID ([0-9a-f]{32})")
ACTIVE = frozenset({"CREATED", "RUNNING", "RESTARTING", "INITIALIZING", "RECONCILING"})


def running_job(stack: LocalStack) -> str | None:
    """Return the id of the scoring job, None when it does not run."""
    for job in FlinkRest(stack.ports.addresses()["flink"]).jobs():
        if job["name"] == JOB_NAME and job["state"] in ACTIVE:
            return str(job["jid"])
    return None


def submit_job(
    stack: LocalStack,
    settings: Settings,
    *,
    savepoint: str | None = None,
    progress: Callable[[str], None] = lambda _: None,
    timeout_s: float = 120.0,
) -> str:
    """Submit the scoring job and wait until every task runs.

    Parameters
    ----------
    savepoint
        Start from this savepoint; without it from the beginning of the topics, and then transactions wait until the
        metadata is read up to the newest deployment.
    progress
        Told what is being done, one short sentence at a time.

    Returns
    -------
    str
        The job's id.

    Raises
    ------
    JobError
        When a job runs already, Flink refuses it, or it does not come to run in ``timeout_s`` seconds.
    """
    already = running_job(stack)
    if already:
        msg = f"the scoring job runs already (job {already}); stop it first with: weir stop"
        raise JobError(msg)
    progress("packing the bundle")
    unnamed = stack.home / "bundles" / "bundle.zip"
    build_id = build_bundle(unnamed)
    bundle = unnamed.rename(unnamed.with_name(f"{build_id[:16]}.zip"))
    _replace_task_managers(stack, build_id, progress)
    progress("submitting to Flink")
    job_id = _flink_run(stack, bundle, _arguments(stack, settings, build_id, savepoint), savepoint)
    progress("waiting for every task to run")
    _wait_until_running(FlinkRest(stack.ports.addresses()["flink"]), job_id, timeout_s)
    return job_id


def stop_job(stack: LocalStack, *, timeout_s: float = 120.0) -> str:
    """Stop the scoring job with a savepoint and return the savepoint's path."""
    job_id = running_job(stack)
    if job_id is None:
        msg = "the scoring job does not run; nothing to stop (start it with: weir submit)"
        raise JobError(msg)
    return FlinkRest(stack.ports.addresses()["flink"]).stop(job_id, timeout_s=timeout_s)


def _arguments(stack: LocalStack, settings: Settings, build_id: str, savepoint: str | None) -> JobArguments:
    first_seq = 0 if savepoint else metadata_store_of(settings).last_deployment_seq()
    stages = StageSettings(
        build_id=build_id,
        model=settings.model,
        feature_set=settings.feature_set,
        order=settings.order,
        activation=settings.activation,
        shards=settings.shards,
        first_deployment_seq=first_seq,
        emit_features=settings.emit_features,
        parallelism=settings.parallelism,
        lateness_ms=settings.allowed_lateness_ms,
        event_time_batch_ms=settings.event_time_batch_ms,
        quality_window_ms=settings.quality_window_ms,
        quality_interval_ms=settings.quality_interval_ms,
        truth_retention_ms=settings.truth_retention_ms,
        label_maturity_ms=round(settings.label_maturity_days * DAY_MS),
        quality_rolling_ms=settings.quality_rolling_ms,
        quality_false_positive_rate=settings.quality_false_positive_rate,
    )
    return JobArguments(
        name=JOB_NAME,
        bootstrap=stack.ports.addresses()["kafka"],
        checkpoints=(stack.home / "flink" / "checkpoints").as_uri(),
        parallelism=settings.parallelism,
        batch_ms=settings.batch_ms,
        buffer_timeout_ms=settings.buffer_timeout_ms,
        checkpoint_interval_ms=settings.checkpoint_interval_ms,
        stages=stages,
    )


def _replace_task_managers(stack: LocalStack, build_id: str, progress: Callable[[str], None]) -> None:
    # In thread mode a TaskManager's interpreter keeps the modules of the build it ran before.
    ran = stack.home / "flink" / "build_id"
    if ran.exists() and ran.read_text(encoding="ascii") != build_id:
        progress("replacing the TaskManagers, which hold another build's code")
        state = stack.status()
        for name in sorted(state.components if state else ()):
            if name.startswith("taskmanager"):
                stack.restart(name)
    ran.parent.mkdir(parents=True, exist_ok=True)
    ran.write_text(build_id, encoding="ascii")


def _flink_run(stack: LocalStack, bundle: Path, arguments: JobArguments, savepoint: str | None) -> str:
    flink, env, empty = stack.flink_environment()
    restore = ["-s", savepoint] if savepoint else []
    command = [str(flink), "run", "-d", *restore, "-pyfs", str(bundle), "-pym", "jobs.run_scoring", arguments.to_json()]
    log = stack.home / "logs" / "submit.log"
    done = subprocess.run(command, env=env, cwd=empty, capture_output=True, text=True, timeout=300, check=False)
    log.write_text(done.stdout + done.stderr, encoding="utf-8")
    submitted = SUBMITTED.search(done.stdout)
    if done.returncode or not submitted:
        msg = f"Flink did not take the job (flink run ended with {done.returncode}); its output is in {log}"
        raise JobError(msg)
    return submitted.group(1)


def _wait_until_running(flink: FlinkRest, job_id: str, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    state = "unknown"
    while time.monotonic() < deadline:
        try:
            job = flink.job(job_id)
        except requests.RequestException:
            time.sleep(0.5)
            continue
        state = str(job["state"])
        if state == "RUNNING" and all(vertex["status"] == "RUNNING" for vertex in job["vertices"]):
            return
        if state in ("FAILED", "CANCELED", "FINISHED"):
            break
        time.sleep(0.5)
    exceptions = flink.exceptions(job_id)
    cause = exceptions[0]["stacktrace"].splitlines()[0] if exceptions else "no exception was reported"
    msg = f"the job did not come to run within {timeout_s:.0f} s; it is {state}: {cause}"
    raise JobError(msg)
