"""What a restart cannot mend ends the job, though Flink was told to restart it for ever."""

from __future__ import annotations

import time

import pytest

from connectors.file_sinks import FileSinks
from connectors.file_sources import FileSources
from jobs.pipeline import build
from udfs.operators.stage_settings import StageSettings

pytestmark = pytest.mark.integration


def test_a_job_of_another_build_fails_at_once_and_says_both_builds(tmp_path, minicluster_env):
    from pyflink.common import Configuration

    settings = StageSettings(
        build_id="another", model="fraud", feature_set="handbook", order="arrival", activation="arrival", shards=4,
        first_deployment_seq=0, emit_features=False, parallelism=1, lateness_ms=1000, event_time_batch_ms=3_600_000,
        quality_window_ms=86_400_000, quality_interval_ms=1000, truth_retention_ms=86_400_000,
    )  # fmt: skip
    env = minicluster_env(parallelism=1)
    for_ever = Configuration()
    for_ever.set_string("restart-strategy.type", "fixed-delay")
    for_ever.set_string("restart-strategy.fixed-delay.attempts", "1000000")
    for_ever.set_string("restart-strategy.fixed-delay.delay", "1 s")
    env.configure(for_ever)
    for topic in ("transactions", "truths", "weir.metadata"):
        (tmp_path / "in" / topic).mkdir(parents=True)
    build(env, settings, FileSources(tmp_path / "in", 1000), FileSinks(tmp_path / "out"), batch_ms=20)
    result = env.execute_async("another build").get_job_execution_result()
    deadline = time.monotonic() + 60
    while not result.done() and time.monotonic() < deadline:
        time.sleep(0.3)
    assert result.done()
    with pytest.raises(Exception, match="runs build source tree, the job was submitted with build another"):
        result.result()
