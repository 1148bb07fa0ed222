"""What a job was submitted as is known again, for that job only."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.job_arguments import JobArguments
from jobs.job_version import FILE, JobVersion
from udfs.operators.stage_settings import StageSettings


@pytest.fixture
def version() -> JobVersion:
    stages = StageSettings("b1", "fraud", "handbook", "arrival", "arrival", 32, 7, True, 2, 0, 1, 1, 1, 1)
    return JobVersion(Path("/b/b1.zip"), JobArguments("weir-scoring", "k:1", "file:///c", 2, 20, 5, 2000, stages))


def test_a_version_is_known_again_by_the_id_of_its_job(tmp_path, version):
    (tmp_path / FILE).parent.mkdir()
    version.record(tmp_path, "j1")
    assert JobVersion.recorded(tmp_path, "j1") == version
    assert JobVersion.recorded(tmp_path, "j2") is None


@pytest.mark.parametrize("text", [None, "", "{", "{}", '{"job_id": "j1", "arguments": {"stages": {}}}'])
def test_what_cannot_be_read_is_not_known(tmp_path, text):
    (tmp_path / FILE).parent.mkdir()
    if text is not None:
        (tmp_path / FILE).write_text(text)
    assert JobVersion.recorded(tmp_path, "j1") is None


def test_another_parallelism_reaches_the_stages_and_nothing_else_changes(version):
    wider = version.with_parallelism(4)
    assert (wider.parallelism, wider.arguments.stages.parallelism) == (4, 4)
    assert wider.with_parallelism(2) == version


def test_from_a_savepoint_no_transaction_waits_for_the_first_metadata(version):
    assert version.from_savepoint().arguments.stages.first_deployment_seq == 0
    assert version.from_savepoint().build_id == version.build_id == "b1"
