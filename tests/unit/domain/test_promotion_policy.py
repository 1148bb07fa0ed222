"""When a challenger is promoted, given up or waited for, and when a champion gives way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from udfs.domain.delong import compare_aucs
from udfs.domain.errors import SettingsError
from udfs.domain.evidence import Evidence
from udfs.domain.promotion_policy import PromotionPolicy

POLICY = PromotionPolicy(min_positives=50, min_scored=1_000, max_positives=500)
BETTER = Evidence("2", "1", scored=5_000, positives=60, negatives=4_000, difference=0.05, low=0.01, high=0.09)


def test_a_challenger_that_is_better_with_confidence_is_promoted():
    verdict = POLICY.judge_challenger(BETTER)
    assert verdict.action == "promote"
    assert "version 2 to version 1, +0.0500" in verdict.reason


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"scored": 999}, "not warm: it scored 999 of 1,000"),
        ({"positives": 49}, "49 of 50 frauds"),
        ({"low": None, "high": None}, "no interval"),
        ({"low": 0.0}, "may be chance"),
        ({"low": -0.01}, "may be chance"),
    ],
)
def test_without_enough_to_go_by_it_waits_and_says_what_is_missing(changed, said):
    verdict = POLICY.judge_challenger(replace(BETTER, **changed))
    assert verdict.action == "wait"
    assert said in verdict.reason


def test_one_that_is_worse_with_confidence_gives_up():
    assert POLICY.judge_challenger(replace(BETTER, difference=-0.05, low=-0.09, high=-0.01)).action == "retire"


def test_one_that_cannot_be_told_apart_gives_up_in_the_end():
    undecided = replace(BETTER, low=-0.01, high=0.05)
    assert POLICY.judge_challenger(replace(undecided, positives=499)).action == "wait"
    assert POLICY.judge_challenger(replace(undecided, positives=500)).action == "retire"


@pytest.mark.parametrize(
    ("low", "high", "action"), [(-0.09, -0.01, "rollback"), (-0.09, 0.0, "keep"), (0.01, 0.09, "keep")]
)
def test_a_champion_gives_way_only_when_it_fell_below_its_predecessor_with_confidence(low, high, action):
    assert POLICY.judge_champion(replace(BETTER, low=low, high=high)).action == action


def test_a_champion_is_not_judged_by_too_few_frauds():
    verdict = POLICY.judge_champion(replace(BETTER, positives=3, low=-0.09, high=-0.01))
    assert verdict.action == "keep"
    assert "3 of 50 frauds" in verdict.reason


@pytest.mark.parametrize(
    "wrong",
    [{"confidence": 1.0}, {"confidence": 0.0}, {"min_positives": 1}, {"max_positives": 10}, {"min_scored": 0}],
)
def test_a_policy_that_could_decide_by_nothing_is_refused(wrong):
    with pytest.raises(SettingsError):
        PromotionPolicy(**wrong)


def test_all_looks_together_are_wrong_no_more_often_than_was_stated():
    spent = sum(1 - POLICY.confidence_at(look) for look in range(1, 10_000))
    assert spent == pytest.approx(0.05, abs=1e-4)
    assert spent < 0.05


def test_looking_again_and_again_at_two_equal_versions_seldom_promotes_one():
    """A thousand trials of two versions that rank equally well, each looked at ten times as truth comes in."""
    rng = np.random.default_rng(3)
    policy = PromotionPolicy(min_positives=10, min_scored=1, max_positives=10_000)
    promoted = 0
    trials, looks = 300, 10
    for _ in range(trials):
        labels = np.repeat([1, 0], [100, 400])[rng.permutation(500)]
        shared = rng.normal(size=500) + labels
        scores = [shared + rng.normal(size=500) for _ in range(2)]
        for look in range(1, looks + 1):
            end = 50 * look
            found = compare_aucs(scores[0][:end], scores[1][:end], labels[:end], policy.confidence_at(look))
            positives = int(labels[:end].sum())
            evidence = Evidence("2", "1", end, positives, end - positives, found.difference, found.low, found.high)
            if policy.judge_challenger(evidence).action == "promote":
                promoted += 1
                break
    assert promoted / trials <= 0.05
