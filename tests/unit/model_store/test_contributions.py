"""The reasons of an alert add up to its score, for every model an artifact can hold, and are what the model says."""

from __future__ import annotations

import math

import pytest

from model_store.artifact import Artifact
from model_store.compiled_scorer import load_scorer
from model_store.contributions import Contributions
from model_store.export import export_artifact
from model_store.rebuild import rebuild

TREES = ["trees", "low trees", "trees with limits"]
LINEAR = ["Adam", "perceptron", "linear regression", "L1", "passive-aggressive classifier", "ALMA"]


def exported(factory, feature_set, last, scaler, seed=1):
    model = factory.learn(factory.make_model(last, scaler), factory.vectors(90, seed=seed), seed)
    return export_artifact(model, feature_set, seed=7)


@pytest.mark.parametrize("scaler", ["none", "min-max", "standard", "standard, min-max"])
@pytest.mark.parametrize("last", TREES)
def test_baseline_and_contributions_of_trees_are_the_score(factory, feature_set, last, scaler):
    data = exported(factory, feature_set, last, scaler)
    model, told = rebuild(data), Contributions.decode(data)
    assert told.method == "tree_path"
    scores = set()
    for vector in factory.vectors(300, seed=5, missing=0.1):
        score = model.score_one(vector)
        assert told.baseline + sum(told.of(vector).values()) == pytest.approx(score, abs=1e-12)
        scores.add(score)
    assert len(scores) > 2


def test_the_baseline_of_trees_is_the_mean_score_of_their_window(factory, feature_set):
    window, model = 20, factory.make_model("trees", "none")
    events = factory.vectors(3 * window, seed=4)
    factory.learn(model, events)
    told = Contributions.decode(export_artifact(model, feature_set, seed=7))
    scores = [model.score_one(event) for event in events[-window:]]
    assert told.baseline == pytest.approx(sum(scores) / window, abs=1e-12)


@pytest.mark.parametrize("scaler", ["none", "min-max", "standard", "max-abs"])
@pytest.mark.parametrize("last", LINEAR)
def test_baseline_and_contributions_of_a_linear_model_are_its_sum(factory, feature_set, last, scaler):
    data = exported(factory, feature_set, last, scaler)
    scorer, told = load_scorer(data), Contributions.decode(data)
    assert told.method == "linear_exact"
    for vector in factory.vectors(100, seed=5):
        score = scorer.score_one(vector)
        total = told.baseline + sum(told.of(vector).values())
        if last != "linear regression":
            total = 1 / (1 + math.exp(-max(-700.0, min(700.0, total))))
        assert total == pytest.approx(score, abs=1e-9)


def test_a_feature_no_split_of_the_path_asks_for_has_no_part(factory, feature_set):
    data = exported(factory, feature_set, "low trees", "min-max")
    asked = {
        feature_set.features[index]
        for key, values in Artifact.decode(data).arrays.items()
        if key.endswith(".feature")
        for index in values.ravel().tolist()
    }
    told = Contributions.decode(data)
    assert asked < set(feature_set.features)
    assert all(set(told.of(vector)) <= asked for vector in factory.vectors(50, seed=9))


def test_the_one_feature_that_is_odd_is_the_reason(feature_set, factory):
    model = factory.make_model("trees", "none")
    usual = [{name: 0.4 + 0.001 * (n % 7) for name in feature_set.features} for n in range(200)]
    factory.learn(model, usual)
    told = Contributions.decode(export_artifact(model, feature_set, seed=7))
    reasons = told.reasons({**usual[0], "risk": 0.99})
    assert reasons[0]["feature"] == "risk"
    assert reasons[0]["value"] == 0.99
    assert reasons[0]["contribution"] > sum(each["contribution"] for each in reasons[1:])


def test_reasons_are_the_largest_that_raise_the_score(factory, feature_set):
    data = exported(factory, feature_set, "Adam", "standard")
    told = Contributions.decode(data)
    for vector in factory.vectors(60, seed=3):
        parts = {name: part for name, part in told.of(vector).items() if part > 0}
        said = told.reasons(vector, most=2)
        assert [each["contribution"] for each in said] == sorted(parts.values(), reverse=True)[:2]
        assert all(each["value"] == vector[each["feature"]] for each in said)


def test_trees_that_have_seen_no_whole_window_say_nothing(factory, feature_set):
    model = factory.learn(factory.make_model("trees", "min-max"), factory.vectors(5, seed=1))
    told = Contributions.decode(export_artifact(model, feature_set, seed=7))
    (vector,) = factory.vectors(1, seed=2)
    assert (told.method, told.of(vector), told.reasons(vector)) == ("none", {}, [])
