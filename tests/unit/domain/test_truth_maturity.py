"""Label maturity and the series by truth time: what is presumed, what takes it back, what was told when."""

from __future__ import annotations

import pytest

from tests.unit.domain.truth_case import DAY, NOW, START, aside, expire, join, prediction, said, truth
from udfs.domain.quality_change import Outcome, encode_changes
from udfs.domain.set_aside import SetAside

MATURE = 10 * DAY


def test_a_transaction_without_truth_is_presumed_genuine_when_its_label_is_mature():
    state: dict[str, bytes] = {}
    join(state, prediction(), prediction(role="shadow"), maturity_ms=MATURE)
    assert said(expire(state, NOW + 9 * DAY, maturity_ms=MATURE)) == []
    update = expire(state, NOW + 11 * DAY, maturity_ms=MATURE)
    assert (said(update), update.presumed) == ([("PRESUMED", 1), ("PRESUMED", 1)], 1)
    assert {change.window_start_ms for change in update.changes} == {START}
    assert expire(state, NOW + 12 * DAY, maturity_ms=MATURE).presumed == 0


@pytest.mark.parametrize("label", [0, 1])
def test_a_truth_takes_the_presumed_label_back(label):
    state: dict[str, bytes] = {}
    join(state, prediction(), maturity_ms=MATURE)
    expire(state, NOW + 11 * DAY, maturity_ms=MATURE)
    update = join(state, truth(label), maturity_ms=MATURE)
    assert said(update) == [("PRESUMED", -1), (Outcome(label).name, 1)]
    assert said(join(state, truth(1 - label, revision=2), maturity_ms=MATURE))[0] == (Outcome(label).name, -1)


def test_a_prediction_that_comes_when_the_label_is_presumed_shares_it():
    state: dict[str, bytes] = {}
    join(state, prediction(), maturity_ms=MATURE)
    expire(state, NOW + 11 * DAY, maturity_ms=MATURE)
    assert said(join(state, prediction(role="shadow"), maturity_ms=MATURE)) == [("SCORED", 1), ("PRESUMED", 1)]


def test_a_prediction_that_comes_after_maturity_is_presumed_too():
    state: dict[str, bytes] = {}
    join(state, prediction(), maturity_ms=MATURE)
    expire(state, NOW + 11 * DAY, maturity_ms=MATURE)
    join(state, prediction("t2"), maturity_ms=MATURE)
    assert said(expire(state, NOW + 11 * DAY, maturity_ms=MATURE)) == [("PRESUMED", 1)]


def test_a_transaction_is_presumed_genuine_at_the_latest_when_it_is_forgotten():
    state: dict[str, bytes] = {}
    join(state, prediction())  # under a setting without maturity
    state_later = dict(state)
    update = expire(state_later, NOW + 60 * DAY, maturity_ms=MATURE)
    assert (said(update), update.forgotten, update.never_labelled) == ([("PRESUMED", 1)], 1, 1)
    assert said(expire(state, NOW + 60 * DAY)) == []


def test_an_excluded_prediction_is_never_presumed_anything():
    state: dict[str, bytes] = {}
    join(state, prediction(excluded=True), maturity_ms=MATURE)
    assert said(expire(state, NOW + 60 * DAY, maturity_ms=MATURE)) == []


def test_maturity_goes_by_the_time_of_the_prediction_when_an_early_truth_named_another():
    state: dict[str, bytes] = {}
    join(state, prediction("t0"), truth(1, event_time_ms=NOW - 9 * DAY), prediction(), maturity_ms=MATURE)
    assert said(expire(state, NOW + 5 * DAY, maturity_ms=MATURE)) == []
    assert said(expire(state, NOW + 11 * DAY, maturity_ms=MATURE)) == [("PRESUMED", 1)]  # t0; t1 has its truth


def test_thousands_mature_in_pieces_each_once():
    state: dict[str, bytes] = {}
    for at in range(2000):
        join(state, prediction(f"transaction-{at}", event_time_ms=NOW + at * 3_600_00), maturity_ms=MATURE)
    presumed = 0
    update = expire(state, NOW + 20 * DAY, limit=50, maturity_ms=MATURE)
    while update.presumed:
        presumed += update.presumed
        update = expire(state, NOW + 20 * DAY, limit=50, maturity_ms=MATURE)
    assert presumed == 2000
    assert update.holds


def test_each_truth_is_told_once_in_the_window_of_its_own_time_and_never_taken_back():
    state: dict[str, bytes] = {}
    update = join(state, prediction(), truth(1), truth(0, revision=2, truth_time_ms=NOW + 3 * DAY), truth(1))
    assert said(update, "truth_time") == [("POSITIVE", 1), ("NEGATIVE", 1)]
    told = [change for change in update.changes if change.series == "truth_time"]
    assert [(change.window_start_ms, change.delay_ms) for change in told] == [
        (START + DAY, DAY),
        (START + 3 * DAY, 3 * DAY),
    ]


def test_truths_out_of_order_are_told_as_in_order():
    first, second = truth(1), truth(0, revision=2, truth_time_ms=NOW + 3 * DAY)
    orders = [(prediction(), first, second), (second, prediction(), first), (second, first, prediction())]
    tellings = [
        sorted(change for change in join({}, *order).changes if change.series == "truth_time") for order in orders
    ]
    assert tellings[0] == tellings[1] == tellings[2]
    assert len(tellings[0]) == 2


def test_a_presumed_label_is_not_a_truth_that_was_told():
    state: dict[str, bytes] = {}
    join(state, prediction(), maturity_ms=MATURE)
    assert said(expire(state, NOW + 11 * DAY, maturity_ms=MATURE), "truth_time") == []


def test_only_the_series_by_truth_time_carries_delays():
    texts = encode_changes(join({}, prediction(), truth(1)).changes)
    scored = f'["event_time",[{START},{START}],[0.75,0.75],[2,1],[1,1]]'
    assert list(texts.values()) == [f'[{scored},["truth_time",[{START + DAY}],[0.75],[1],[1],[{DAY}]]]'.encode()]


def test_what_is_set_aside_counts_for_the_versions_it_concerns():
    state: dict[str, bytes] = {}
    join(state, prediction(), prediction(version="2", role="shadow"), truth(1, revision=5))
    update = join(state, truth(0, revision=4), prediction(score=0.1), prediction("t9", score=float("nan")))
    counted = [(change.version, change.weight) for change in update.changes if change.outcome == Outcome.SET_ASIDE]
    assert counted == [("1", 1), ("2", 1), ("1", 1), ("1", 1)]
    assert aside(update) == ["superseded_truth", "conflicting_prediction", "score_not_finite"]


def test_a_dead_letter_without_a_position_says_so():
    letter = SetAside("too_late_prediction", "t1", {**prediction(), "partition": 0, "offset": 3}).dead_letter(9)
    assert (letter["topic"], letter["partition"], letter["offset"], letter["time_ms"]) == ("inferences", 0, 3, 9)
    letter = SetAside("truth_without_prediction", "t1", None, {"kind": "truth"}).dead_letter(9)
    assert (letter["topic"], letter["partition"], letter["offset"]) == ("truths", -1, -1)
