"""Flink's REST interface, as far as this project asks it."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import quote

import requests

from connectors.loopback import loopback_session
from udfs.domain.errors import ConnectionLostError, JobError

__all__ = ["FlinkRest"]

METRICS_A_CALL = 40
"""So many names fit into an address."""
CANONICAL = "CANONICAL"
"""The format of savepoints that every state backend reads, so that a job may go on with another."""


class FlinkRest:
    """A client of one JobManager.

    Parameters
    ----------
    base_url
        For example ``http://127.0.0.1:19081``.
    timeout_s
        Seconds to wait for one answer.

    Raises
    ------
    ConnectionLostError
        By every method, if the JobManager does not answer.
    JobError
        By every method, if it answers with an error.
    """

    def __init__(self, base_url: str, timeout_s: float = 10.0) -> None:
        self._base, self._timeout = base_url.rstrip("/"), timeout_s
        self._session = loopback_session()

    def overview(self) -> dict[str, Any]:
        """Return the cluster's counts: taskmanagers, slots-total, slots-available, jobs-running, ..."""
        return self._call("GET", "/overview")

    def jobs(self) -> list[dict[str, Any]]:
        """Return the jobs the JobManager knows: jid, name, state, start-time, ..."""
        return self._call("GET", "/jobs/overview")["jobs"]

    def job(self, job_id: str) -> dict[str, Any]:
        """Return one job with its vertices."""
        return self._call("GET", f"/jobs/{job_id}")

    def state(self, job_id: str) -> str:
        """Return a job's state: RUNNING, RESTARTING, FINISHED, ..."""
        return str(self.job(job_id)["state"])

    def all_run(self, job_id: str) -> bool:
        """Tell whether a job runs, and every one of its tasks."""
        job = self.job(job_id)
        return job["state"] == "RUNNING" and all(each["status"] == "RUNNING" for each in job["vertices"])

    def checkpoints(self, job_id: str) -> dict[str, Any]:
        """Return counts, latest completed, latest restored, and history of a job's checkpoints."""
        return self._call("GET", f"/jobs/{job_id}/checkpoints")

    def checkpointing(self, job_id: str) -> dict[str, Any]:
        """Return how a job takes checkpoints: mode, interval, state_backend, ..."""
        return self._call("GET", f"/jobs/{job_id}/checkpoints/config")

    def exceptions(self, job_id: str) -> list[dict[str, Any]]:
        """Return the exceptions of a job, the newest first."""
        return self._call("GET", f"/jobs/{job_id}/exceptions")["exceptionHistory"]["entries"]

    def restarts(self, job_id: str) -> int:
        """Return how often a job was restarted since it was submitted, or since a JobManager took it over.

        The attempts of its tasks tell: the metric numRestarts is as old as the last question for any metric.
        """
        return max((int(each["attempt"]) for each in self.subtasks(job_id)), default=0)

    def subtasks(self, job_id: str) -> list[dict[str, Any]]:
        """Return every subtask of every vertex of a job: attempt, status, taskmanager-id, ..."""
        vertices = self.job(job_id)["vertices"]
        return [
            subtask
            for vertex in vertices
            for subtask in self._call("GET", f"/jobs/{job_id}/vertices/{vertex['id']}")["subtasks"]
        ]

    def taskmanagers(self) -> list[dict[str, Any]]:
        """Return the registered TaskManagers: id, slotsNumber, freeSlots, ..."""
        return self._call("GET", "/taskmanagers")["taskmanagers"]

    def vertex_metrics(self, job_id: str, vertex_id: str, pattern: str) -> dict[str, dict[str, float]]:
        """Return a vertex's metrics of numbers whose names match: min, max, avg and sum over its subtasks."""
        path = f"/jobs/{job_id}/vertices/{vertex_id}/subtasks/metrics"
        wanted = [each["id"] for each in self._call("GET", path) if re.match(pattern, each["id"])]
        found: dict[str, dict[str, float]] = {}
        for start in range(0, len(wanted), METRICS_A_CALL):
            query = quote(",".join(wanted[start : start + METRICS_A_CALL]))
            for each in self._call("GET", f"{path}?get={query}"):
                found[each["id"]] = {name: float(value) for name, value in each.items() if name != "id"}
        return found

    def cancel(self, job_id: str) -> None:
        """Ask a job to cancel; it is not waited for."""
        self._call("PATCH", f"/jobs/{job_id}?mode=cancel")

    def savepoint(self, job_id: str, directory: str | None = None, timeout_s: float = 120.0) -> str:
        """Take a savepoint while the job goes on and return its path."""
        body = {"target-directory": directory, "formatType": CANONICAL}
        return self._savepoint(f"/jobs/{job_id}/savepoints", job_id, body, timeout_s)

    def stop(self, job_id: str, directory: str | None = None, *, drain: bool = False, timeout_s: float = 120.0) -> str:
        """Stop a job with a savepoint.

        Parameters
        ----------
        job_id
            The job.
        directory
            Where the savepoint goes; None takes the cluster's setting.
        drain
            Whether to emit the greatest watermark first, so that all windows fire; never for a job that goes on later.
        timeout_s
            Seconds until the savepoint must be complete.

        Returns
        -------
        str
            The savepoint's path.
        """
        body = {"targetDirectory": directory, "drain": drain, "formatType": CANONICAL}
        return self._savepoint(f"/jobs/{job_id}/stop", job_id, body, timeout_s)

    def _savepoint(self, path: str, job_id: str, body: dict[str, Any], timeout_s: float) -> str:
        request = self._call("POST", path, {key: value for key, value in body.items() if value is not None})
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            answer = self._call("GET", f"/jobs/{job_id}/savepoints/{request['request-id']}")
            if answer["status"]["id"] == "COMPLETED":
                operation = answer["operation"]
                if "location" in operation:
                    return str(operation["location"])
                msg = f"Job {job_id} gave no savepoint: got {_first_lines(operation.get('failure-cause'))}."
                raise JobError(msg)
            time.sleep(0.2)
        msg = f"Job {job_id} gave no savepoint within {timeout_s:.0f} s; see its checkpoints at {self._base}."
        raise JobError(msg)

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401
        try:
            answer = self._session.request(method, f"{self._base}{path}", json=body, timeout=self._timeout)
            document = answer.json() if answer.content else {}
        except (requests.RequestException, ValueError) as error:
            msg = f"Flink's JobManager at {self._base} does not answer: got {type(error).__name__}. See `weir status`."
            raise ConnectionLostError(msg) from error
        if answer.status_code >= 400:
            msg = f"Flink refused {method} {path} with {answer.status_code}: {_first_lines(document.get('errors'))}."
            raise JobError(msg)
        return document


def _first_lines(value: object) -> str:
    """Return the telling part of a Java stack trace."""
    text = value.get("stack-trace", "") if isinstance(value, dict) else " ".join(map(str, value or []))  # type: ignore[call-overload]
    lines = [line.strip() for line in str(text).splitlines() if line.strip() and not line.strip().startswith("at ")]
    return "; ".join(lines[:4])[:600] or "no reason"
