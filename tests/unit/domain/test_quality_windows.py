"""The quality stage: rows as the contract names them, their revisions, when they are final, when they are gone."""

from __future__ import annotations

import orjson
import pytest

from udfs.domain.errors import JobError
from udfs.domain.quality_change import Outcome, QualityChange, encode_changes, split_version_key, version_key
from udfs.domain.quality_rules import QualityRules
from udfs.domain.quality_stage import finish_windows, refresh_windows
from udfs.domain.quality_window import QualityWindow
from udfs.domain.window import LIFE_END_MS

HOUR = 3_600_000
DAY = 24 * HOUR
START = 1_700_000_000_000 - 1_700_000_000_000 % HOUR
RETENTION = 7 * DAY
KEY = version_key("cards", "1", "champion")
FIELDS = {
    "model", "version", "role", "series", "window_start_ms", "window_end_ms", "roc_auc", "reason", "error_bound",
    "ci_low", "ci_high", "positives", "negatives", "labelled", "scored", "excluded", "intervened", "revision", "final",
    "window", "average_precision", "average_precision_error", "false_positive_rate", "recall_at_fpr",
    "recall_at_fpr_error", "presumed", "coverage", "set_aside", "label_delay_p50_ms", "label_delay_p90_ms",
}  # fmt: skip
WINDOW_1 = (
    "010000000200000004000000000000000100000000000000010000000000000000000000000000000000000000000000"
    "0100004000000008000002000000010100000000000000000000000000000000e03f00010100"
)


def change(outcome: int, score: float = 0.5, weight: int = 1, start_ms: int = START) -> QualityChange:
    return QualityChange("cards", "1", "champion", "event_time", start_ms, score, outcome, weight)


def told(outcome: int, delay_ms: int, score: float = 0.5, start_ms: int = START) -> QualityChange:
    return QualityChange("cards", "1", "champion", "truth_time", start_ms, score, outcome, 1, delay_ms)


RULES = QualityRules(HOUR, RETENTION)


def refresh(
    state: dict[str, bytes], *changes: QualityChange, watermark_ms: int = 0, rules: QualityRules = RULES
) -> list[dict]:
    return refresh_windows(KEY, encode_changes(changes).values(), state, rules, watermark_ms=watermark_ms).rows


def finish(
    state: dict[str, bytes], watermark_ms: int, *changes: QualityChange, rules: QualityRules = RULES
) -> list[dict]:
    return finish_windows(KEY, encode_changes(changes).values(), state, rules, watermark_ms=watermark_ms).rows


def test_a_batch_touches_its_window_and_the_whole_life():
    rows = refresh({}, change(Outcome.SCORED), change(Outcome.POSITIVE), change(Outcome.NEGATIVE, 0.25))
    assert [(row["window_start_ms"], row["window_end_ms"]) for row in rows] == [(START, START + HOUR), (0, LIFE_END_MS)]
    assert all(set(row) == FIELDS for row in rows)
    assert rows[0]["roc_auc"] == 1.0
    assert (rows[0]["model"], rows[0]["version"], rows[0]["role"]) == ("cards", "1", "champion")


def test_a_row_counts_each_outcome_where_it_belongs():
    state: dict[str, bytes] = {}
    changes = [change(Outcome.SCORED)] * 5 + [change(Outcome.EXCLUDED)] * 2 + [change(Outcome.INTERVENED)]
    row = refresh(state, *changes, change(Outcome.NEGATIVE), change(Outcome.NEGATIVE))[0]
    counts = ("scored", "labelled", "positives", "negatives", "excluded", "intervened")
    assert [row[name] for name in counts] == [5, 2, 0, 2, 2, 1]
    assert (row["roc_auc"], row["reason"], row["error_bound"]) == (None, "no_positives", None)


def test_a_retraction_moves_a_label_from_one_class_to_the_other():
    state: dict[str, bytes] = {}
    refresh(state, change(Outcome.POSITIVE), change(Outcome.NEGATIVE, 0.1))
    row = refresh(state, change(Outcome.POSITIVE, weight=-1), change(Outcome.NEGATIVE))[0]
    assert (row["positives"], row["negatives"], row["reason"]) == (0, 2, "no_positives")


def test_the_whole_life_is_not_mixed_with_a_window_that_starts_at_0():
    rows = refresh({}, change(Outcome.SCORED, start_ms=0), change(Outcome.SCORED, start_ms=HOUR))
    assert [row["scored"] for row in rows] == [1, 1, 2]


def test_each_published_row_is_one_revision_up():
    state: dict[str, bytes] = {}
    assert [refresh(state, change(Outcome.SCORED))[0]["revision"] for _ in range(3)] == [1, 2, 3]
    assert [row["revision"] for row in refresh(state, change(Outcome.SCORED, start_ms=START + HOUR))] == [1, 4]


def test_a_window_is_final_once_the_watermark_has_passed_its_end_and_the_retention():
    state: dict[str, bytes] = {}
    assert refresh(state, change(Outcome.SCORED))[0]["final"] is False
    assert finish(state, START + HOUR + RETENTION - 1) == []
    rows = finish(state, START + HOUR + RETENTION)
    assert [(row["final"], row["revision"], row["scored"]) for row in rows] == [(True, 2, 1)]
    assert finish(state, START + HOUR + RETENTION) == []


def test_the_whole_life_is_never_final_while_the_job_runs():
    assert refresh({}, change(Outcome.SCORED), watermark_ms=START + 100 * DAY)[-1]["final"] is False


def test_what_a_watermark_overtook_still_counts_in_a_final_window():
    state: dict[str, bytes] = {}
    refresh(state, change(Outcome.POSITIVE), change(Outcome.NEGATIVE, 0.1))
    far = START + 1000 * DAY
    assert len(finish(state, far)) == 1
    row = refresh(state, change(Outcome.NEGATIVE, 0.9), watermark_ms=far)[0]
    assert (row["final"], row["revision"], row["roc_auc"]) == (True, 3, 0.5)


def test_a_window_is_forgotten_when_the_versions_own_changes_are_past_its_retention():
    state: dict[str, bytes] = {}
    later = START + 15 * DAY
    refresh(state, change(Outcome.SCORED))
    refresh(state, change(Outcome.SCORED, start_ms=later))
    assert len(finish(state, later)) == 1
    assert sorted(state) == ["\x00windows", f"event_time/0/{LIFE_END_MS}", f"event_time/{later}/{later + HOUR}"]


def test_a_forgotten_window_does_not_come_back_as_a_part_of_itself():
    state: dict[str, bytes] = {}
    later = START + 15 * DAY
    refresh(state, change(Outcome.SCORED), change(Outcome.SCORED, start_ms=later))
    finish(state, later)
    rows = refresh(state, change(Outcome.POSITIVE), watermark_ms=later)
    assert [(row["window_start_ms"], row["positives"]) for row in rows] == [(0, 1)]


def test_keys_hold_names_of_any_characters():
    names = ('a/b"', "[1,2]", "ü\n")
    assert split_version_key(version_key(*names)) == names


def test_changes_travel_apart_for_each_version_and_role_and_come_back_bit_for_bit():
    score = 0.1 + 0.2
    one, other = change(Outcome.SCORED, score), change(Outcome.SCORED, 5e-324)._replace(role="shadow")
    texts = encode_changes([one, other, one])
    assert list(texts) == [KEY, version_key("cards", "1", "shadow")]
    assert orjson.loads(texts[KEY])[0][2] == [score, score]


def test_a_window_of_schema_1_decodes_and_is_still_written_so():
    window = QualityWindow.decode(bytes.fromhex(WINDOW_1))
    assert (window.revision, window.scored, window.excluded, window.intervened, window.final) == (2, 4, 1, 1, False)
    assert window.auc.get().roc_auc == 1.0
    assert window.encode().hex() == WINDOW_1


@pytest.mark.parametrize("entry", ["\x00windows", f"event_time/0/{LIFE_END_MS}"])
def test_a_newer_schema_is_refused_in_a_sentence(entry):
    state: dict[str, bytes] = {}
    refresh(state, change(Outcome.SCORED))
    state[entry] = (
        state[entry].replace(b'"schema":2', b'"schema":3') if entry[0] == "\x00" else b"\x02" + state[entry][1:]
    )
    with pytest.raises(JobError, match=r"has schema (2|3), this version reads schema (1|2); restore"):
        refresh(state, change(Outcome.SCORED))


def test_a_presumed_label_counts_as_a_negative_without_a_truth():
    row = refresh(
        {}, change(Outcome.SCORED), change(Outcome.SCORED), change(Outcome.PRESUMED), change(Outcome.POSITIVE)
    )[0]
    assert (row["positives"], row["negatives"], row["presumed"], row["labelled"]) == (1, 1, 1, 1)
    assert (row["coverage"], row["roc_auc"]) == (0.5, 0.5)


def test_a_rolling_window_counts_what_its_tumbling_windows_count():
    state: dict[str, bytes] = {}
    rules = QualityRules(HOUR, RETENTION, rolling_ms=3 * HOUR)
    first, last = change(Outcome.NEGATIVE, 0.1), change(Outcome.POSITIVE, 0.9, start_ms=START + 2 * HOUR)
    rows = {
        (row["window_start_ms"] - START, row["window_end_ms"] - START): row
        for row in refresh(state, first, last, rules=rules)
        if row["window"] == "rolling"
    }
    assert sorted(rows) == [(at * HOUR, at * HOUR + 3 * HOUR) for at in range(-2, 3)]
    assert [rows[at * HOUR, (at + 3) * HOUR]["labelled"] for at in range(-2, 3)] == [1, 1, 2, 1, 1]
    assert rows[0, 3 * HOUR]["roc_auc"] == 1.0
    row = next(
        r for r in refresh(state, last, rules=rules) if r["window_start_ms"] == START and r["window"] == "rolling"
    )
    assert (row["positives"], row["revision"], row["final"]) == (2, 2, False)
    assert len(finish(state, START + 5 * HOUR + RETENTION, rules=rules)) == 2 + 5


def test_a_window_of_truth_time_is_final_when_it_is_over_and_tells_how_long_truth_took():
    state: dict[str, bytes] = {}
    rows = refresh(state, *[told(Outcome.NEGATIVE, DAY)] * 8, *[told(Outcome.POSITIVE, 20 * DAY, 0.9)] * 2)
    assert [(row["series"], row["window"]) for row in rows] == [("truth_time", "tumbling"), ("truth_time", "life")]
    row = rows[0]
    assert (row["scored"], row["labelled"], row["coverage"], row["roc_auc"], row["final"]) == (10, 10, 1.0, 1.0, False)
    assert row["label_delay_p50_ms"] == pytest.approx(DAY, rel=0.045)
    assert row["label_delay_p90_ms"] == pytest.approx(20 * DAY, rel=0.045)
    [row] = finish(state, START + HOUR)
    assert (row["final"], row["labelled"], row["label_delay_p90_ms"]) == (True, 10, rows[0]["label_delay_p90_ms"])


def test_a_final_row_counts_what_waits_and_publishes_no_early_revision_of_others():
    state: dict[str, bytes] = {}
    later = START + 10 * DAY
    refresh(state, change(Outcome.NEGATIVE))
    rows = finish(state, START + HOUR + RETENTION, change(Outcome.NEGATIVE), change(Outcome.NEGATIVE, start_ms=later))
    assert [(row["window_start_ms"], row["negatives"], row["final"]) for row in rows] == [(START, 2, True)]
    rows = refresh(state)
    assert {(row["window_start_ms"], row["negatives"], row["revision"]) for row in rows} == {(later, 1, 1), (0, 3, 2)}
    assert refresh(state) == []


def test_what_was_set_aside_is_counted_and_changes_nothing_else():
    row = refresh({}, change(Outcome.SCORED), change(Outcome.SET_ASIDE, 0.0))[0]
    assert (row["set_aside"], row["scored"], row["labelled"], row["reason"]) == (1, 1, 0, "no_labels")


def test_a_window_with_all_its_counts_comes_back_as_it_was():
    state: dict[str, bytes] = {}
    refresh(state, told(Outcome.POSITIVE, DAY), told(Outcome.INTERVENED, 3), change(Outcome.PRESUMED), change(6, 0.0))
    for key, data in state.items():
        if key[0] != "\x00":
            assert QualityWindow.decode(data).encode() == data
