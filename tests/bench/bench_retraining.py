"""The loop that closes, on the whole stack: ``make bench ONLY=retraining``, about six minutes.

Generated transactions and truths stream through one job that nobody restarts. Between the parts of the stream ``weir
retrain --once`` goes round: it makes the first version, tries the second beside it and promotes it, then the third. At the
end ``weir reproduce`` makes the third again from its record, from the first on.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from connectors.data.dataset import Dataset, open_dataset
from jobs.tables.access import catalog_of
from jobs.tables.fill_job import stop_tables
from tests.bench.publish import publish
from tests.e2e.local import Local
from tests.e2e.scoring import Scoring, wait_for

ROWS, PARTS = 60_000, (3_000, 13_000, 9_000, 12_000)
RATE, SEED = 1_500, 7
POLICY = ("--algorithm", "logistic-regression", "--min-positives", "30", "--min-scored", "1000")
FAST = {"tables_checkpoint_interval_ms": "5000"}


class Loop:
    """One stream and the rounds beside it."""

    def __init__(self, local: Local) -> None:
        self.local = local
        self.scoring = Scoring(local, "fraud")
        self.scoring.submit()
        local.weir_json("submit", "--only", "tables", **FAST)
        self.catalog = catalog_of(self.scoring.settings)
        self.decisions: list[dict[str, Any]] = []
        self.round_s: list[float] = []
        self.sent = 0

    def stream(self, part: Dataset) -> None:
        """Send a part; return when all that came of it is in the tables."""
        self.scoring.produce(part, RATE)
        self.sent += len(part)
        total = self.scoring.wait_for_sum(self.sent, 900)
        assert total.holds, str(total)
        wait_for("the tables have it", self._in_tables, 600, pause_s=2)

    def _in_tables(self) -> bool:
        return all(
            self._rows(topic) == len(self.scoring.records(topic)) for topic in ("transactions", "inferences", "truths")
        )

    def _rows(self, table: str) -> int:
        snapshot = self.catalog.load_table(("weir", table)).current_snapshot()
        return int(snapshot.summary["total-records"]) if snapshot is not None else 0

    def round(self, *expected: tuple[str, str | None]) -> None:
        """Go round once; the decisions must be the expected ones."""
        begun = time.perf_counter()
        done = self.local.weir("retrain", "--once", "--json", *POLICY, timeout_s=400)
        assert done.returncode == 0, done.stderr
        self.round_s.append(time.perf_counter() - begun)
        made = json.loads(done.stdout)
        self.decisions += made
        for each in made:
            print(f"{each['action']} version {each['version']} ({each['other']}): {each['reason']}", flush=True)
        assert [(each["action"], each["version"]) for each in made] == list(expected), made

    def active(self, version: str) -> None:
        self.scoring.wait_for_event("activated", version)


def run(loop: Loop) -> dict[str, float | int | str]:
    """Tell the story and return its figures."""
    dataset = open_dataset("generator", rows=ROWS, days=60, seed=SEED, truth_delay_ms=86_400_000)
    ends = [sum(PARTS[: at + 1]) for at in range(len(PARTS))]
    parts = [dataset.part(end - count, end) for count, end in zip(PARTS, ends, strict=True)]
    job_id = loop.scoring.job_id
    loop.stream(parts[0])
    loop.round(("train", "1"))
    loop.active("1")
    loop.stream(parts[1])
    loop.round(("train", "2"))
    loop.active("2")
    loop.stream(parts[2])
    loop.round(("promote", "2"))
    loop.round(("keep", "2"), ("train", "3"))
    loop.active("3")
    loop.stream(parts[3])
    loop.round(("keep", "2"), ("promote", "3"))
    assert loop.scoring.restarts() == 0
    assert loop.scoring.job_id == job_id
    thresholds = loop.local.weir_json("threshold", "fraud", "2", "--from", "iceberg", "--alerts-per-day", "20")
    begun = time.perf_counter()
    made_again = loop.local.weir_json("reproduce", "fraud", "3", timeout_s=600)
    promoted = [each for each in loop.decisions if each["action"] == "promote"]
    return {
        "transactions": sum(PARTS),
        "versions": 3,
        "promoted": len(promoted),
        "restarts": loop.scoring.restarts(),
        **{f"difference_{each['version']}": each["difference"] for each in promoted},
        **{f"ci_low_{each['version']}": each["ci_low"] for each in promoted},
        "round_s": max(loop.round_s),
        "frauds_caught_at_20_a_day": thresholds["rows"][2]["caught"],
        "reproduced": ",".join(step["version"] for step in made_again["steps"]),
        "reproduced_equal": str(made_again["equal"]),
        "reproduce_s": time.perf_counter() - begun,
    }


def main() -> None:
    """Run the loop and publish ``build/bench/retraining.json``."""
    with tempfile.TemporaryDirectory(prefix="weir-retraining-") as folder:
        local = Local(Path(folder) / "home")
        local.weir_json("up", timeout_s=600)
        try:
            loop = Loop(local)
            figures = run(loop)
            stop_tables(local.stack)
            loop.scoring.stop()
        finally:
            local.stack.down(purge=True)
    publish("retraining", figures)


if __name__ == "__main__":
    main()
