"""How the tables job does, for ``weir status``."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from connectors.local.flink_rest import FlinkRest
from connectors.local.stack import LocalStack
from jobs.launch import root_cause
from jobs.tables.fill_job import running_tables
from udfs.domain.errors import WeirError

__all__ = ["tables_figures", "tables_line"]


def tables_figures(stack: LocalStack) -> dict[str, Any]:
    """Return the tables job's id (None when it does not run), state, restarts, commits, and what last made it restart."""
    job_id = running_tables(stack)
    if job_id is None:
        return {"job_id": None, "state": None}
    flink = FlinkRest(stack.ports.addresses()["flink"])
    figures: dict[str, Any] = {"job_id": job_id, "state": flink.state(job_id), "restarts": 0, "reason": None}
    figures["commits"] = flink.checkpoints(job_id)["counts"]["completed"]
    with suppress(WeirError):  # the job may just be restarting
        figures["restarts"] = flink.restarts(job_id)
        figures["reason"] = root_cause(flink, job_id) if figures["restarts"] else None
    return figures


def tables_line(figures: dict[str, Any]) -> str:
    """Return one line about :func:`tables_figures`.

    Examples
    --------
    >>> tables_line({"job_id": None, "state": None})
    'tables job not running: weir submit'
    >>> tables_line({"job_id": "ab", "state": "RUNNING", "restarts": 0, "commits": 7, "reason": None})
    'tables job ab: running, 7 commits'
    >>> tables_line({"job_id": "ab", "state": "RESTARTING", "restarts": 2, "commits": 7, "reason": "No route to host"})
    'tables job ab: restarting, 7 commits, 2 restarts, the last: No route to host'
    """
    if figures["job_id"] is None:
        return "tables job not running: weir submit"
    restarts = f", {figures['restarts']} restarts, the last: {figures['reason']}" if figures["restarts"] else ""
    return f"tables job {figures['job_id']}: {figures['state'].lower()}, {figures['commits']} commits{restarts}"
