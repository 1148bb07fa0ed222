"""Only errors that a restart cannot mend end the job, wherever a stage raises them."""

from __future__ import annotations

import pytest

from udfs.domain.errors import JobError
from udfs.operators.ends_job_for_good import ends_job_for_good


@ends_job_for_good
class Stage:
    """Raises what it is sent."""

    def open(self, ctx):
        if ctx is not None:
            raise ctx

    def process_element(self, value, ctx):
        yield "before"
        raise value

    def on_timer(self, timestamp, ctx):
        return iter([timestamp])


@pytest.fixture
def stage(monkeypatch):
    ended = []
    monkeypatch.setattr("udfs.operators.ends_job_for_good._fail_task", lambda ctx, error: ended.append(str(error)))
    stage = Stage()
    stage.open(None)
    return stage, ended


def test_a_job_error_in_the_middle_of_a_batch_ends_the_job_and_is_raised(stage):
    running, ended = stage
    outputs = running.process_element(JobError("schema 9"), None)
    assert next(outputs) == "before"
    with pytest.raises(JobError, match="schema 9"):
        next(outputs)
    assert ended == ["schema 9"]


def test_a_job_error_at_the_opening_ends_the_job(stage):
    running, ended = stage
    with pytest.raises(JobError):
        running.open(JobError("another build"))
    assert ended == ["another build"]


def test_any_other_error_is_left_to_flinks_restarts(stage):
    running, ended = stage
    with pytest.raises(ValueError, match="broken"):
        list(running.process_element(ValueError("broken"), None))
    assert ended == []


def test_what_a_stage_emits_is_untouched(stage):
    assert list(stage[0].on_timer(5, None)) == [5]
