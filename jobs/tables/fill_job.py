"""Starts and stops the tables job, which writes the committed records of the topics to the tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from connectors.iceberg.new_columns import add_new_columns
from connectors.iceberg.next_offsets import next_offsets
from connectors.iceberg.warehouse import TABLES
from connectors.local.flink_rest import FlinkRest
from connectors.local.stack import LocalStack
from jobs.kafka_address import job_properties, kafka_address
from jobs.launch import START_TIMEOUT_S, wait_until_running
from jobs.settings import DAY_MS, Settings
from jobs.submission import running_job
from jobs.tables.access import catalog_of, warehouse_of
from jobs.tables.fill_options import FillOptions
from jobs.tables.script import fill_script
from jobs.tables.sql_client import run_script
from udfs.domain.errors import JobError

__all__ = ["FILL_JOB_NAME", "renew_tables", "running_tables", "start_tables", "stop_tables"]

FILL_JOB_NAME = "weir-tables"
SUBMITTED = re.compile(r"Job ID: ([0-9a-f]{32})")


def running_tables(stack: LocalStack) -> str | None:
    """Return the id of the tables job, None when it does not run."""
    return running_job(stack, FILL_JOB_NAME)


def start_tables(
    stack: LocalStack,
    settings: Settings,
    *,
    progress: Callable[[str], None] = lambda _: None,
    timeout_s: float = START_TIMEOUT_S,
) -> str:
    """Submit the tables job and return its id; it goes on behind the last record of each topic that is in its table.

    Raises
    ------
    JobError
        When it runs already or does not come to run.
    TablesError, ConnectionLostError
        When the tables cannot be had.
    """
    already = running_tables(stack)
    if already:
        msg = f"the tables job runs already (job {already}); stop it first with: weir stop"
        raise JobError(msg)
    progress("reading how far the tables are")
    catalog = catalog_of(settings)
    for table in TABLES:
        add_new_columns(catalog, table)
    starts = {table: next_offsets(catalog, table) for table in TABLES}
    script = stack.home / "flink" / "tables.sql"
    script.write_text(_script(settings, starts), encoding="utf-8")
    progress("submitting the tables job")
    said = run_script(stack, script)
    submitted = SUBMITTED.search(said)
    if not submitted:
        msg = f"Flink's SQL client did not say the id of the tables job; it said: {said[-600:]}"
        raise JobError(msg)
    flink = FlinkRest(stack.ports.addresses()["flink"])
    progress("waiting for the tables job to run")
    wait_until_running(flink, submitted.group(1), timeout_s)
    _recorded(stack).write_text(_script(settings, {}), encoding="utf-8")
    return submitted.group(1)


def renew_tables(
    stack: LocalStack, settings: Settings, *, progress: Callable[[str], None] = lambda _: None
) -> str | None:
    """Start the tables job anew if it runs and its SQL or settings have changed; return its new id then.

    Raises
    ------
    JobError, TablesError, ConnectionLostError
        As by :func:`start_tables`.
    """
    recorded = _recorded(stack)
    same = recorded.exists() and recorded.read_text(encoding="utf-8") == _script(settings, {})
    if same or running_tables(stack) is None:
        return None
    progress("stopping the tables job")
    stop_tables(stack)
    return start_tables(stack, settings, progress=progress)


def _recorded(stack: LocalStack) -> Path:
    return stack.home / "flink" / "tables-submitted.sql"


def _script(settings: Settings, starts: Mapping[str, Mapping[int, int]]) -> str:
    options = FillOptions(
        name=FILL_JOB_NAME,
        checkpoint_interval_ms=settings.tables_checkpoint_interval_ms,
        compaction_s=settings.tables_compaction_s,
        snapshot_age_s=round(settings.tables_snapshot_days * DAY_MS / 1_000),
    )
    kafka, security = str(kafka_address(settings)), job_properties(settings)
    return fill_script(warehouse_of(settings), kafka, starts, options, security, settings.avro)


def stop_tables(stack: LocalStack, *, timeout_s: float = 120.0) -> bool:
    """Stop the tables job with what it has read in the tables; return whether it ran."""
    job_id = running_tables(stack)
    if job_id is None:
        return False
    flink = FlinkRest(stack.ports.addresses()["flink"])
    flink.stop(job_id, timeout_s=timeout_s)
    return True
