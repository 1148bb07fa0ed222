"""Truth that comes first, twice, corrected, reversed, out of order or never, on the MiniCluster, against brute force."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from dataclasses import replace

import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from connectors.file_sinks import FileSinks
from connectors.file_sources import FileSources
from jobs.pipeline import build
from tests.integration.test_pipeline import (
    DAY,
    NOW,
    START,
    artifact,
    closed,
    metadata_rows,
    spread,
    stage_settings,
    transactions,
    truth_of,
    without_labels,
)

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

GHOSTS = 40
ROLLING = 3 * DAY
QUIET_MS = 5_000


def told(rows: list[dict]) -> list[dict]:
    """The truths in the order in which they are sent."""
    numbers, truths = random.Random(8), []
    for row in rows:
        if numbers.random() < 0.3:
            continue  # never
        delay_ms = round(numbers.expovariate(1 / DAY))
        first = truth_of(row, delay_ms)
        truths.append(first)
        chance = numbers.random()
        if chance < 0.1:
            truths.append(first)
        elif chance < 0.16:
            corrected = {
                **first,
                "label": 1 - row["label"],
                "revision": 1,
                "truth_time_ms": first["truth_time_ms"] + DAY,
            }
            truths.append(corrected)
            if chance > 0.15:
                reversal = {**first, "revision": 2, "truth_time_ms": first["truth_time_ms"] + 2 * DAY}
                truths.append(reversal)
        elif chance < 0.2:
            first["intervened"] = True
    truths.sort(key=lambda truth: truth["truth_time_ms"])
    late = set(numbers.sample(range(len(truths)), len(truths) // 5))
    places = [(at + numbers.randrange(400) if at in late else at) for at in range(len(truths))]
    return [truth for _, truth in sorted(zip(places, truths, strict=True), key=lambda pair: pair[0])]


def windows(time_ms: int) -> list[tuple[int, int]]:
    start = time_ms // DAY * DAY
    rolling = [(end - ROLLING, end) for end in range(start + DAY, start + ROLLING + 1, DAY)]
    return [(start, start + DAY), (0, 4_102_444_800_000), *rolling]


def brute_force(inferences: list[dict], truths: list[dict]) -> dict[tuple, dict]:
    """Scores and labels of every window, from all that was sent."""
    of: dict[str, list[dict]] = defaultdict(list)
    for truth in truths:
        if truth not in of[truth["transaction_id"]]:
            of[truth["transaction_id"]].append(truth)
    found: dict[tuple, dict] = defaultdict(lambda: {"scored": 0, "intervened": 0, "presumed": 0, "pairs": []})

    def add(row: dict, score: float, truth: dict | None) -> None:
        row["scored"] += 1
        if truth is not None and truth.get("intervened"):
            row["intervened"] += 1
        else:
            row["presumed"] += truth is None
            row["pairs"].append((0 if truth is None else truth["label"], score))

    for inference in inferences:
        mine = of[inference["transaction_id"]]
        newest = max(mine, key=lambda truth: truth["revision"], default=None)
        for window in windows(inference["event_time_ms"]):
            add(found[inference["role"], "event_time", *window], inference["score"], newest)
        for truth in mine:
            for window in windows(truth["truth_time_ms"]):
                add(found[inference["role"], "truth_time", *window], inference["score"], truth)
    return found


def newest(rows: list[dict]) -> dict[tuple, dict]:
    ordered = sorted(rows, key=lambda row: row["revision"])
    names = ("role", "series", "window_start_ms", "window_end_ms")
    return {tuple(row[name] for name in names): row for row in ordered}


def figures(row: dict) -> tuple[int, int, int, int]:
    return row["scored"], row["intervened"], row["presumed"], row["positives"] + row["negatives"]


@pytest.fixture(scope="module")
def run(tmp_path_factory, minicluster):
    start_job, run_until = minicluster
    place, rows = tmp_path_factory.mktemp("late-truth"), transactions(1500, seed=3)
    sources, sinks = FileSources(place / "in", watermark_delay_ms=DAY), FileSinks(place / "out")
    parts = spread(without_labels(rows), "customer_id", seed=2, disorder=40)
    sources.write("transactions", closed(parts, START + 400 * DAY), NOW)
    truths = told(rows)
    ghosts = [
        {**truth_of({**rows[0], "transaction_id": f"ghost{at}", "event_time_ms": START - 11 * DAY - at}, 11 * DAY)}
        for at in range(GHOSTS)
    ]
    sent = [[json.dumps(truth) for truth in part] for part in ([*ghosts, *truths[0::2]], truths[1::2])]
    sources.write("truths", closed(sent, START + 400 * DAY), NOW)
    metadata = metadata_rows((1, artifact(1), "champion"), (2, artifact(2), "shadow"))
    sources.write("weir.metadata", {0: metadata}, NOW)
    settings = replace(
        stage_settings("arrival"), label_maturity_ms=5 * DAY, quality_rolling_ms=ROLLING, quiet_shard_ms=QUIET_MS
    )

    def settled() -> bool:
        inferences = sinks.read("inferences")
        if len(inferences) < 2 * len(rows) or len(sinks.read("dead_letters")) < GHOSTS:
            return False
        wanted, got = brute_force(inferences, truths), newest(sinks.read("model_quality"))
        return all(key in got and figures(got[key])[:3] == figures_of(row)[:3] for key, row in wanted.items())

    client = start_job(lambda env: build(env, settings, sources, sinks, batch_ms=20))
    run_until(client, settled, timeout_s=240)
    return sinks, truths


def figures_of(row: dict) -> tuple[int, int, int, int]:
    return row["scored"], row["intervened"], row["presumed"], len(row["pairs"])


def test_every_window_of_both_series_equals_brute_force(run):
    sinks, truths = run
    wanted, got = brute_force(sinks.read("inferences"), truths), newest(sinks.read("model_quality"))
    assert {key for key, row in got.items() if figures(row) != (0, 0, 0, 0)} == set(wanted)
    judged = 0
    for key, row in wanted.items():
        assert figures(got[key]) == figures_of(row), key
        labels, scores = zip(*row["pairs"], strict=True)
        if len(set(labels)) == 2:
            judged += 1
            assert got[key]["roc_auc"] == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
            assert got[key]["average_precision"] == pytest.approx(average_precision_score(labels, scores), abs=1e-12)
    assert judged > 60


def test_windows_are_final_at_the_end_and_the_whole_life_is_not(run):
    for (_, _, start, _), row in newest(run[0].read("model_quality")).items():
        assert row["final"] == (start != 0)


def test_truths_that_met_no_transaction_can_be_read_with_their_position(run):
    letters = [letter for letter in run[0].read("dead_letters") if letter["topic"] == "truths"]
    ghosts = {
        letter["offset"]: letter["reason"]
        for letter in letters
        if letter["reason"] in ("truth_without_prediction", "too_late_correction")
    }
    assert sorted(ghosts) == list(range(GHOSTS))
    assert {
        letter["partition"] for letter in letters if letter["offset"] in ghosts and letter["reason"] in ghosts.values()
    }
    print(Counter(letter["reason"] for letter in letters))
