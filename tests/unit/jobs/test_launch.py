"""Waiting for a job to run: late answers are waited out, an end is not."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.launch import wait_until_running
from udfs.domain.errors import ConnectionLostError, JobError


class Flink:
    """Says of a job what it is told to say, one word a question; the last one from then on."""

    def __init__(self, *states: str) -> None:
        self._states = list(states)

    def all_run(self, job_id: str) -> bool:
        return self.state(job_id) == "RUNNING"

    def state(self, job_id: str) -> str:
        state = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        if state == "late":
            msg = "Flink's JobManager does not answer"
            raise ConnectionLostError(msg)
        return state

    def exceptions(self, job_id: str) -> list[dict[str, Any]]:
        return [{"stacktrace": "o.a.FlinkException: It failed.\nCaused by: o.a.IOException: The disk is full.\n"}]


def test_a_jobmanager_that_is_late_with_an_answer_is_asked_again():
    wait_until_running(Flink("CREATED", "CREATED", "late", "INITIALIZING", "late", "RUNNING"), "j", 30)


def test_a_job_that_ended_is_not_waited_for_and_the_message_says_why():
    with pytest.raises(JobError, match="it is FAILED: The disk is full"):
        wait_until_running(Flink("INITIALIZING", "FAILED"), "j", 30)


def test_a_job_that_does_not_come_to_run_is_given_up():
    with pytest.raises(JobError, match="did not come to run within 1 s; it is INITIALIZING"):
        wait_until_running(Flink("INITIALIZING"), "j", 1)
