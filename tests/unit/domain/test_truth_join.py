"""Every case of the truth join, each on its own: what counts, what is taken back, what is set aside and why."""

from __future__ import annotations

import math

import pytest

from tests.unit.domain.truth_case import DAY, NOW, START, aside, join, prediction, said, truth
from udfs.domain.quality_change import Outcome
from udfs.domain.truth_join import TruthUpdate


def test_a_prediction_counts_as_scored_in_the_window_of_its_event_time():
    update = join({}, prediction())
    assert update.changes == [("cards", "1", "champion", "event_time", START, 0.75, Outcome.SCORED, 1, 0)]
    assert not update.set_aside


def test_truth_after_its_prediction_labels_it():
    state: dict[str, bytes] = {}
    join(state, prediction())
    assert said(join(state, truth(1))) == [("POSITIVE", 1)]


def test_truth_before_its_prediction_waits_for_it():
    state: dict[str, bytes] = {}
    assert said(join(state, truth(0))) == []
    assert said(join(state, prediction())) == [("SCORED", 1), ("NEGATIVE", 1)]


def test_prediction_and_truth_of_one_batch_meet():
    assert said(join({}, truth(1), prediction())) == [("SCORED", 1), ("POSITIVE", 1)]


def test_the_same_truth_twice_counts_once():
    state: dict[str, bytes] = {}
    join(state, prediction(), truth(1))
    update = join(state, truth(1))
    assert (said(update), aside(update)) == ([], ["duplicate_truth"])


def test_a_higher_revision_retracts_the_old_label_and_adds_the_new():
    state: dict[str, bytes] = {}
    join(state, prediction(), truth(1))
    assert said(join(state, truth(0, revision=2))) == [("POSITIVE", -1), ("NEGATIVE", 1)]


def test_a_correction_and_its_reversal_add_up_to_the_first_label():
    state: dict[str, bytes] = {}
    update = join(state, prediction(), truth(1), truth(0, revision=2), truth(1, revision=3))
    assert sum(change.weight for change in update.changes if change[3::3] == ("event_time", Outcome.POSITIVE)) == 1
    assert sum(change.weight for change in update.changes if change[3::3] == ("event_time", Outcome.NEGATIVE)) == 0


def test_a_higher_revision_with_the_same_label_changes_nothing_but_stands():
    state: dict[str, bytes] = {}
    join(state, prediction(), truth(1), truth(1, revision=5))
    update = join(state, truth(0, revision=4))
    assert (said(update), aside(update)) == ([], ["superseded_truth"])


def test_a_lower_revision_is_set_aside_even_when_it_comes_first_without_a_prediction():
    state: dict[str, bytes] = {}
    join(state, truth(0, revision=2))
    assert aside(join(state, truth(1, revision=1))) == ["superseded_truth"]
    assert said(join(state, prediction())) == [("SCORED", 1), ("NEGATIVE", 1)]


def test_of_two_labels_with_one_revision_fraud_holds_whichever_came_first():
    state: dict[str, bytes] = {}
    join(state, prediction(), truth(0))
    update = join(state, truth(1))
    assert said(update) == [("NEGATIVE", -1), ("POSITIVE", 1)]
    assert aside(update) == ["conflicting_truth"]


def test_of_two_labels_with_one_revision_a_weaker_one_is_set_aside():
    state: dict[str, bytes] = {}
    join(state, prediction(), truth(1))
    late = truth(0)
    update = join(state, late)
    assert said(update) == []
    assert [(item.reason, item.item) for item in update.set_aside] == [("conflicting_truth", late)]


def test_negative_revisions_are_ordered_too():
    state: dict[str, bytes] = {}
    join(state, prediction(), truth(1, revision=-2))
    assert said(join(state, truth(0, revision=-1))) == [("POSITIVE", -1), ("NEGATIVE", 1)]


def test_every_role_and_version_of_a_transaction_is_labelled():
    state: dict[str, bytes] = {}
    join(state, prediction(), prediction(role="shadow", version="2", score=0.1))
    update = join(state, truth(1))
    assert [(c.role, c.version, c.score, c.weight) for c in update.changes if c.series == "event_time"] == [
        ("champion", "1", 0.75, 1),
        ("shadow", "2", 0.1, 1),
    ]


def test_a_role_that_scores_after_the_truth_is_labelled_at_once():
    state: dict[str, bytes] = {}
    join(state, prediction(), truth(1))
    assert said(join(state, prediction(role="shadow"))) == [("SCORED", 1), ("POSITIVE", 1)]


def test_the_same_prediction_again_counts_once():
    state: dict[str, bytes] = {}
    join(state, prediction())
    update = join(state, prediction(), truth(1), prediction())
    assert said(update) == [("POSITIVE", 1)]
    assert aside(update) == ["duplicate_prediction", "duplicate_prediction"]


def test_another_score_of_the_same_version_and_role_is_a_conflict_and_the_first_stands():
    state: dict[str, bytes] = {}
    join(state, prediction())
    update = join(state, prediction(score=0.5))
    assert (said(update), aside(update)) == ([], ["conflicting_prediction"])


def test_an_excluded_prediction_counts_as_excluded_and_nothing_else():
    state: dict[str, bytes] = {}
    update = join(state, prediction(excluded=True), truth(1), truth(0, revision=2))
    assert said(update) == [("EXCLUDED", 1)]


def test_an_intervened_transaction_is_counted_apart():
    assert said(join({}, prediction(), truth(1, intervened=True))) == [("SCORED", 1), ("INTERVENED", 1)]


def test_a_correction_may_take_an_intervention_back():
    state: dict[str, bytes] = {}
    join(state, prediction(), truth(1, intervened=True))
    assert said(join(state, truth(1, revision=2))) == [("INTERVENED", -1), ("POSITIVE", 1)]


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_no_number_is_set_aside(score):
    update = join({}, prediction(score=score))
    assert (said(update), aside(update)) == ([], ["score_not_finite"])


def test_the_window_is_that_of_the_prediction_when_the_chargeback_names_another_time():
    state: dict[str, bytes] = {}
    join(state, truth(1, event_time_ms=NOW - 5 * DAY))
    update = join(state, prediction(), truth(0, revision=2))
    assert {change.window_start_ms for change in update.changes if change.series == "event_time"} == {START}


def test_an_empty_batch_changes_nothing():
    state: dict[str, bytes] = {}
    assert join(state) == TruthUpdate([], [])
