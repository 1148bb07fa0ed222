"""What happens beside the stream, driven step by step with nothing real around it."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest

from jobs.demo import story
from jobs.demo.poison import POISONED_VERSION
from jobs.training.train_version import TrainedVersion

TRAINED = TrainedVersion("fraud", "2", "d2", "logistic-regression", "handbook@1", 0.9, 7, 1_200, 30, 0.8, None, 99)


class Stage:
    """The demo's surroundings: they do nothing until a test says so."""

    def __init__(self, monkeypatch):
        self.share, self.trained, self.done, self.rates = 0.0, None, [], []
        self.told, self.ended = {}, {}
        self.watch = SimpleNamespace(scored=Counter(), events={}, event_of=lambda *key: self.watch.events.get(key))
        order = SimpleNamespace(algorithm="logistic-regression")
        self.context = SimpleNamespace(
            plan=SimpleNamespace(rate=1_000, second=order, second_told="what is known", train_at=0.2),
            view=SimpleNamespace(
                tell=self.told.__setitem__,
                done=lambda key, text: self.ended.__setitem__(key, ("ok", text)),
                fail=lambda key, text: self.ended.__setitem__(key, ("failed", text)),
            ),
            registry="MLflow",
            store=SimpleNamespace(load_artifact=lambda digest: b"bytes"),
            trained={},
        )
        self.trainer = SimpleNamespace(
            order=lambda order: self.done.append("ordered"), poll=lambda: self.trained, seen=5
        )
        monkeypatch.setattr(story, "promote_version", lambda *what, **_: self.done.append(f"promoted {what[2]}"))
        monkeypatch.setattr(story, "deploy_poison", lambda *_: self.done.append("poisoned"))

    def pace(self, rate):
        self.rates.append(rate)

    def tell(self, trained=None):
        return story.tell_story(self.context, self.trainer, self.watch, self, trained)


@pytest.fixture
def stage(monkeypatch):
    return Stage(monkeypatch)


def test_each_thing_happens_when_its_share_of_the_stream_is_sent_and_not_before(stage):
    told = stage.tell()
    happened = []
    for share, do in (
        (0.1, lambda: None),
        (0.2, lambda: None),
        (0.3, lambda: setattr(stage, "trained", TRAINED)),
        (0.35, lambda: None),
        (0.4, lambda: stage.watch.scored.update({"2": 1})),
        (0.5, lambda: None),
        (0.6, lambda: stage.watch.events.update({(POISONED_VERSION, "rejected"): REJECTED})),
        (0.61, lambda: None),
    ):
        stage.share = share
        next(told, None)
        happened.append(list(stage.done))
        do()
    assert happened[0] == []
    assert happened[1] == happened[2] == happened[3] == ["ordered"]
    assert happened[4] == happened[5] == ["ordered", "promoted 2"]
    assert happened[6] == ["ordered", "promoted 2", "poisoned"]
    # The refused row is the newest of its role: the good version is given the role once more.
    assert happened[7] == ["ordered", "promoted 2", "poisoned", "promoted 2"]
    assert stage.context.trained == {"2": TRAINED}
    assert stage.ended["second"][0] == stage.ended["poison"][0] == "ok"
    assert "probes: 48 of 48 differ; version 2 goes on" in stage.ended["poison"][1]


REJECTED = {"event": "rejected", "reason": "probes: 48 of 48 differ; probe 0 scores 0.1, recorded 0.2"}


def test_a_version_that_was_trained_before_the_stream_is_not_trained_again(stage):
    told = stage.tell(TRAINED)
    stage.share = 0.45
    next(told)
    assert stage.done == ["promoted 2"]


def test_the_stream_slows_down_while_a_version_is_late_so_that_it_still_scores_its_part(stage):
    told = stage.tell()
    for stage.share in (0.2, 0.3):
        next(told)
    assert stage.rates == []
    stage.share = 0.41
    next(told)
    assert stage.rates[-1] == 200
    stage.trained = TRAINED
    next(told)
    stage.watch.scored.update({"2": 1})
    next(told)
    assert stage.rates[-1] == 1_000
    assert stage.done == ["ordered", "promoted 2"]


def test_a_job_that_does_not_react_is_not_waited_for_for_ever(stage, monkeypatch):
    monkeypatch.setattr(story, "PATIENCE_S", 0.0)
    stage.share = 1.0
    assert list(stage.tell(TRAINED)) == []
    assert (stage.ended["second"][0], stage.ended["poison"][0]) == ("failed", "failed")
