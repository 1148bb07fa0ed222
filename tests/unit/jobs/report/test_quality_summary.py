"""What ``weir status`` says of the truth, from rows the stages really publish."""

from __future__ import annotations

import pytest

from jobs.report.quality_summary import quality_summary
from tests.unit.domain.truth_case import DAY, HOUR, NOW, expire, join, prediction, truth
from udfs.domain.quality_change import encode_changes
from udfs.domain.quality_rules import QualityRules
from udfs.domain.quality_stage import refresh_windows


def published(*updates) -> list[dict]:
    stages, rows = {}, []
    for update in updates:
        for key, text in encode_changes(update.changes).items():
            state = stages.setdefault(key, {})
            rows += refresh_windows(key, [text], state, QualityRules(HOUR, 30 * DAY), watermark_ms=0).rows
    return rows


def stream() -> list[dict]:
    state: dict[str, bytes] = {}
    first = [prediction(f"t{at}") for at in range(10)] + [prediction("t0", version="2", role="shadow", score=0.1)]
    told = [truth(at % 2, f"t{at}", truth_time_ms=NOW + (at + 1) * DAY) for at in range(5)]
    updates = [
        join(state, *first, prediction("t9x", excluded=True), maturity_ms=20 * DAY),
        join(state, *told, truth(1, "t5", intervened=True), truth(0, "t1", revision=0), maturity_ms=20 * DAY),
        expire(state, NOW + 25 * DAY, maturity_ms=20 * DAY),
        join(state, *[prediction(f"u{at}") for at in range(2)], maturity_ms=20 * DAY),
    ]
    return published(*updates)


def test_each_version_says_how_much_truth_has_come_and_how_long_it_took():
    champion, shadow = quality_summary(reversed(stream())).versions
    assert (champion.version, champion.role, shadow.version, shadow.role) == ("1", "champion", "2", "shadow")
    assert (champion.scored, champion.excluded, champion.labelled, champion.intervened) == (12, 1, 5, 1)
    assert (champion.presumed, champion.unlabelled, champion.set_aside) == (4, 2, 1)
    assert champion.coverage == pytest.approx(5 / 12)
    assert champion.label_delay_p50_ms == pytest.approx(2 * DAY, rel=0.5)
    assert champion.label_delay_p90_ms == pytest.approx(5 * DAY, rel=0.045)
    assert (shadow.scored, shadow.coverage, shadow.unlabelled) == (1, 1.0, 0)


def test_a_version_without_truth_has_no_delay():
    [version] = quality_summary(published(join({}, prediction()))).versions
    assert (version.coverage, version.label_delay_p50_ms, version.unlabelled, version.roc_auc) == (0.0, None, 1, None)


def test_set_aside_counts_each_letter_once_and_leaves_transactions_out():
    def letter(topic: str, offset: int, reason: str, payload: str = "") -> dict:
        return {"topic": topic, "partition": 0, "offset": offset, "reason": reason, "payload_sha256": payload}

    letters = [
        letter("truths", 1, "superseded_truth"),
        letter("truths", 1, "superseded_truth"),
        letter("truths", -1, "truth_without_prediction", "a"),
        letter("truths", -1, "truth_without_prediction", "b"),
        letter("inferences", 1, "conflicting_prediction"),
        letter("transactions", 1, "duplicate"),
    ]
    summary = quality_summary([], letters)
    assert summary.set_aside == {"conflicting_prediction": 1, "superseded_truth": 1, "truth_without_prediction": 2}
    assert summary.to_json() == {"versions": [], "set_aside": summary.set_aside}
