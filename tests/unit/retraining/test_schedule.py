"""Rounds come when they should, go on after a failure that can be mended, and end at once when they are told to."""

from __future__ import annotations

import pytest

from jobs.retraining.schedule import Schedule
from udfs.domain.errors import ConnectionLostError, WeirError


class Ended(Exception):
    """Ends a schedule, as Ctrl-C does."""


def test_a_round_comes_now_and_again_after_each_interval():
    rounds = []

    def go() -> None:
        rounds.append(len(rounds))
        if len(rounds) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Schedule(go, lambda error: None).every(1_000)
    assert rounds == [0, 1, 2]


def test_a_component_that_is_away_is_told_and_tried_again():
    rounds: list[int] = []
    told: list[WeirError] = []

    def go() -> None:
        rounds.append(1)
        if len(rounds) == 1:
            raise ConnectionLostError("PostgreSQL does not answer.")
        raise Ended

    with pytest.raises(Ended):
        Schedule(go, told.append).every(1_000)
    assert [str(error) for error in told] == ["PostgreSQL does not answer."]


def test_a_round_waits_for_enough_new_labels():
    counts = iter([100, 149, 150, 199, 251])
    rounds: list[int] = []

    def count() -> int:
        try:
            return next(counts)
        except StopIteration:
            raise Ended from None

    def go() -> None:
        rounds.append(1)

    with pytest.raises(Ended):
        Schedule(go, lambda error: None).each_labels(50, count, known=100, poll_ms=1_000)
    assert len(rounds) == 2
