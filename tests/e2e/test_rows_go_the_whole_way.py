"""What a row defines goes the whole way while both jobs run: a feature set, and an artifact the job had let go."""

from __future__ import annotations

import pytest

from jobs.tables.access import catalog_of
from jobs.tables.fill_job import stop_tables
from tests.e2e.artifact_again import let_go_and_come_again
from tests.e2e.feature_loop import FeatureLoop, goes_the_whole_way
from tests.e2e.models import trained
from tests.e2e.scoring import Scoring


@pytest.fixture(scope="module")
def job(local):
    job = Scoring(local, "rows_go_the_whole_way")
    job.deploy(trained(1), "1")
    job.submit()
    job.wait_for_event("activated", "1", 120)
    local.weir_json("submit", "--only", "tables", tables_checkpoint_interval_ms="2000")
    yield job
    stop_tables(job.stack)
    job.stop()


def test_a_version_whose_bytes_the_job_let_go_is_deployed_from_rows_sent_again(job):
    let_go_and_come_again(job)


def test_a_set_is_defined_trained_on_streamed_learned_from_tried_and_made_again(job):
    goes_the_whole_way(FeatureLoop(job, catalog_of(job.settings)))
    assert job.restarts() == 0
