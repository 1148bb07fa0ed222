"""A feature set's whole way on a running stack: defined, trained on, streamed, learned from, tried, made again."""

from __future__ import annotations

import json
from typing import Any

from connectors.data.dataset import open_dataset
from connectors.data.generator import DEFAULT_START_MS
from jobs.settings import DAY_MS
from tests.e2e.scoring import Scoring, wait_for
from tests.e2e.tables import caught_up

ROWS = 3_000
ALGORITHM = ("--algorithm", "logistic-regression")
POLICY = ("--min-positives", "1", "--min-scored", "100")


class FeatureLoop:
    """Verbs as a person types them, beside a scoring job and a tables job that run."""

    def __init__(self, job: Scoring, catalog: Any) -> None:
        self.job, self.catalog = job, catalog
        # later than the sixty days of generated history that a version is trained on
        start_ms = DEFAULT_START_MS + 70 * DAY_MS
        self._dataset = open_dataset(
            "generator", rows=ROWS, seed=11, days=6, start_ms=start_ms, truth_delay_ms=3_600_000
        )

    def weir(self, *arguments: str) -> Any:
        """Run a verb for this job's model; return its document."""
        done = self.job.local.weir(*arguments, "--json", model=self.job.model)
        assert done.returncode == 0, f"weir {' '.join(arguments)}: {done.stderr or done.stdout}"
        return json.loads(done.stdout)

    def define(self) -> str:
        """Define the set; return its label when the running job computes it."""
        made = self.weir("features", "add", "spending", "--feature", "SPENT_3D=customer.sum(amount) 3d")

        def taken_up() -> bool:
            said = self.job.messages("model_events")
            return any(each.get("feature_set") == made["label"] for each in said)

        wait_for("the job takes the set up", taken_up)
        return str(made["label"])

    def promote(self, trained: dict[str, Any]) -> None:
        """Deploy a version; return when it scores. Another of the same number may have been deployed by a row."""
        self.weir("promote", self.job.model, trained["version"], "--force")

        def said() -> bool:
            return any(each["digest"] == trained["digest"] for each in self.job.model_events("activated"))

        wait_for(f"version {trained['version']} is active", said)

    def stream(self, first: int, last: int) -> None:
        """Send a part with its truths; return when it is in the tables."""
        before = self.job.sent()
        self.job.produce(self._dataset.part(first, last))
        self.job.wait_for_sum(before + last - first)
        wait_for("the tables have it", lambda: caught_up(self.job, self.catalog), 120, pause_s=1)


def goes_the_whole_way(loop: FeatureLoop) -> None:
    """Go from a definition to a version made again from its record, and look at each step."""
    label, model = loop.define(), loop.job.model
    first = loop.weir("train", "--feature-set", label, "--rows", "0:1500", *ALGORITHM)
    loop.promote(first)
    loop.stream(0, ROWS // 2)
    second = loop.weir("train", "--from", "iceberg", "--feature-set", label, *ALGORITHM)
    (planned,) = loop.weir("retrain", "--once", *POLICY, *ALGORITHM)
    third = planned["version"]
    assert (planned["action"], third, planned["other"]) == ("train", "3", "1")  # the champion's own set, from it on
    loop.job.wait_for_event("activated", third)
    loop.stream(ROWS // 2, ROWS)
    scored = [each for each in loop.job.messages("inferences") if each["version"] == third]
    assert {each["feature_set"] for each in scored} == {label}
    assert all("SPENT_3D" in each["features"] and each["score"] is not None for each in scored)
    compared = loop.weir("compare", second["version"], first["version"])
    assert (compared["a"]["digest"], compared["b"]["digest"]) == (second["digest"], first["digest"])
    assert compared["positives"] + compared["negatives"] == len(scored)
    assert loop.weir("backtest", model, third)["total"]["labelled"] == len(scored)
    assert loop.weir("threshold", model, third, "--from", "iceberg")["scored"] == len(scored)
    judged = loop.weir("retrain", "--once", *POLICY, *ALGORITHM)[0]
    assert (judged["version"], judged["other"]) == (third, "1")
    assert judged["positives"]
    again = loop.weir("reproduce", model, third)
    assert (again["equal"], [each["version"] for each in again["steps"]]) == (True, ["1", third])
