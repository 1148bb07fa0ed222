"""Against others' code: River's order of questions and answers, and the size of state under a million scores."""

from __future__ import annotations

import datetime as dt
import random

import numpy as np
import orjson
import pytest
from river import stream
from sklearn.metrics import average_precision_score, roc_auc_score

from udfs.domain.quality_change import encode_changes, version_key
from udfs.domain.quality_rules import QualityRules
from udfs.domain.quality_stage import finish_windows, refresh_windows
from udfs.domain.truth_join import join_truths

EPOCH = dt.datetime(2018, 4, 1, tzinfo=dt.UTC)
DAY = 86_400_000
KEY = version_key("cards", "1", "champion")
RULES = QualityRules(DAY, 60 * DAY)
LARGEST_WINDOW = 400 * 1024
"""Bytes of one window's counts, at most; docs and docstrings say so."""


def _ms(time: dt.datetime) -> int:
    return round(time.timestamp() * 1000)


def _dataset(count: int) -> list[tuple[dict, bool]]:
    chance, time, made = random.Random(5), EPOCH, []
    for number in range(count):
        time += dt.timedelta(minutes=chance.expovariate(1 / 30))
        fraud = chance.random() < 0.1
        score = min(1.0, max(0.0, round(chance.gauss(0.6 if fraud else 0.4, 0.2), 2)))
        delay = dt.timedelta(hours=chance.expovariate(1 / 100))
        made.append(({"id": f"t{number}", "at": time, "delay": delay, "score": score}, fraud))
    return made


def test_in_rivers_order_of_questions_and_answers_each_day_learns_what_river_reveals():
    """Where nothing is corrected, what was told by the end of a day is what simulate_qa has revealed by then."""
    state: dict[str, bytes] = {}
    stage: dict[str, bytes] = {}
    revealed: dict[int, list[tuple[float, bool]]] = {}
    rows: list[dict] = []
    for number, x, y in stream.simulate_qa(iter(_dataset(1500)), moment="at", delay="delay", copy=False):
        event_ms = _ms(x["at"])
        item = {"transaction_id": x["id"], "event_time_ms": event_ms, "partition": 0, "offset": number}
        now_ms = event_ms
        if y is None:
            item |= {"kind": "prediction", "model": "cards", "version": "1", "role": "champion", "excluded": False}
            item["score"] = x["score"]
        else:
            now_ms = _ms(x["at"] + x["delay"])
            item |= {"kind": "truth", "label": int(y), "revision": 0, "intervened": False, "truth_time_ms": now_ms}
            item["ingestion_time_ms"] = now_ms
            revealed.setdefault(now_ms // DAY * DAY, []).append((x["score"], y))
        update = join_truths([item], state, window_ms=DAY, retention_ms=60 * DAY, watermark_ms=now_ms)
        texts = encode_changes(update.changes).values()
        rows += finish_windows(KEY, texts, stage, RULES, watermark_ms=now_ms).rows
        assert not update.set_aside
    rows += finish_windows(KEY, [], stage, RULES, watermark_ms=_ms(EPOCH) + 400 * DAY).rows
    told = {row["window_start_ms"]: row for row in rows if row["series"] == "truth_time"}
    assert set(told) == set(revealed)
    assert all((row["final"], row["revision"]) == (True, 1) for row in told.values()), "a day is told once"
    for day, pairs in revealed.items():
        scores, labels = zip(*pairs, strict=True)
        assert told[day]["labelled"] == len(pairs)
        if 0 < sum(labels) < len(labels):
            assert told[day]["roc_auc"] == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
            assert told[day]["average_precision"] == pytest.approx(average_precision_score(labels, scores), abs=1e-12)
    assert sum(row["labelled"] for row in rows if row["series"] == "event_time") == 1500


def test_a_million_distinct_scores_leave_every_window_under_its_stated_size():
    rng, stage = np.random.default_rng(3), {}
    for _ in range(40):
        scores = rng.random(25_000)
        labels = (rng.random(25_000) < 0.002 + 0.01 * scores).astype(int)
        text = orjson.dumps([["event_time", [0] * 25_000, scores.tolist(), labels.tolist(), [1] * 25_000]]).decode()
        rows = refresh_windows(KEY, [text], stage, RULES, watermark_ms=0).rows
        assert max(map(len, stage.values())) < LARGEST_WINDOW
    for row in rows:
        assert row["labelled"] == 1_000_000
        assert 0 < row["error_bound"] < 0.001
    assert max(map(len, stage.values())) < 64 * 1024
