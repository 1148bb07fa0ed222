"""Five kills of TaskManagers, one of the tables job, PostgreSQL and S3 away: tables = committed topics all the same.

``make bench ONLY=tables``. Ends with 1 when a row is lost or doubled, or when the scoring job felt the outages.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

from connectors.iceberg.warehouse import TABLES
from connectors.local.flink_rest import FlinkRest
from jobs.tables.access import catalog_of
from jobs.tables.fill_job import running_tables, start_tables, stop_tables
from tests.bench.publish import publish
from tests.e2e.local import Local
from tests.e2e.models import stream, trained
from tests.e2e.scoring import Scoring, wait_for
from tests.e2e.tables import both_run, caught_up, committed, in_table

RATE = 200.0
ROWS = 600_000
KILLS = 5
AWAY_S = 120.0


def kill_task_manager(local: Local, chance: random.Random) -> str:
    """Kill one with SIGKILL and wait until the stack is whole and both jobs run."""
    state = local.stack.status()
    assert state is not None
    name = chance.choice([each for each in state.components if each.startswith("taskmanager-")])
    os.kill(state.components[name].pid, signal.SIGKILL)
    time.sleep(2)
    wait_for("the stack is whole", lambda: (now := local.stack.status()) is not None and now.state == "ready", 240)
    flink = FlinkRest(local.stack.ports.addresses()["flink"])
    wait_for("both jobs run", lambda: both_run(flink), 240)
    return name


def away(local: Local, component: str, scoring: Scoring) -> int:
    """Stop a component's processes for minutes, and return how many inferences were committed meanwhile."""
    state = local.stack.status()
    assert state is not None
    before = len(scoring.records("inferences"))
    process = psutil.Process(state.components[component].pid)
    stopped = [process, *process.children(recursive=True)]
    for each in stopped:
        each.suspend()
    try:
        time.sleep(AWAY_S)
        return len(scoring.records("inferences")) - before
    finally:
        for each in stopped:
            with suppress(psutil.NoSuchProcess):
                each.resume()


def run(local: Local) -> dict[str, float]:
    scoring = Scoring(local, "tables")
    settings = local.settings(model="tables", tables_checkpoint_interval_ms=5_000)
    scoring.deploy(trained(1), "1")
    scoring.submit()
    scoring.wait_for_event("activated", "1")
    start_tables(local.stack, settings)
    catalog, chance, figures = catalog_of(settings), random.Random(7), {}
    with scoring.producing(stream(ROWS), RATE):
        time.sleep(20)
        for kill in range(KILLS):
            print(f"killed {kill_task_manager(local, chance)}", flush=True)
            if kill == KILLS // 2:
                job_id = running_tables(local.stack)
                assert job_id is not None
                scoring.flink.cancel(job_id)
                wait_for("the tables job is gone", lambda: running_tables(local.stack) is None, 60)
                start_tables(local.stack, settings)
                print("killed the tables job", flush=True)
            time.sleep(15)
        restarts = scoring.restarts()
        for component in ("s3", "postgres"):
            figures[f"inferences_while_{component}_was_away"] = away(local, component, scoring)
            print(f"{component} was away", flush=True)
        figures["scoring_restarts_while_away"] = scoring.restarts() - restarts
        sent = scoring.sent()
    scoring.wait_for_sum(scoring.sent(), 300)
    wait_for("the tables have every committed record", lambda: caught_up(scoring, catalog), 300, pause_s=3)
    assert sent < ROWS, "the stream ended before the outages did"
    for table in TABLES:
        expected, got = committed(scoring, table), in_table(catalog, table)
        figures |= {f"{table}_rows": got.total(), f"{table}_lost": (expected - got).total()}
        figures[f"{table}_doubled"] = (got - expected).total()
    stop_tables(local.stack)
    scoring.stop()
    return figures | {"task_managers_killed": KILLS, "tables_jobs_killed": 1, "away_s": AWAY_S}


def main() -> None:
    """Run the story and publish the figures."""
    with tempfile.TemporaryDirectory(prefix="weir-tables-") as folder:
        local = Local(Path(folder) / "home")
        local.weir_json("up", timeout_s=600)
        try:
            figures = run(local)
            figures["memory_mb"] = round(sum(local.stack.memory_mb().values()))
        finally:
            local.stack.down(purge=True)
    publish("tables", figures)
    if any(value for name, value in figures.items() if name.endswith(("_lost", "_doubled", "restarts_while_away"))):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
