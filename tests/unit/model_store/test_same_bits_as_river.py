"""Ours = River bit for bit: compiled, rebuilt, in another process, and after learning on."""

from __future__ import annotations

import itertools
import json
import math
import os
import struct
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from river import anomaly, linear_model, preprocessing

from model_store.artifact import digest
from model_store.compiled_scorer import load_scorer
from model_store.export import export_artifact
from model_store.rebuild import rebuild
from model_store.river_score import river_score

SAME_FIXTURE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
NUMBERS = st.one_of(
    st.floats(-1e6, 1e6), st.integers(-5, 5).map(float), st.sampled_from([0.0, -0.0, 1e-300, 1e308, -1e308])
)
NAMES = ("a", "b", "c")
VECTOR = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, NUMBERS))
FULL = st.fixed_dictionaries(dict.fromkeys(NAMES, NUMBERS))


def bits(score):
    """The 64 bits; all NaN are one."""
    return "nan" if math.isnan(score) else struct.pack("<d", score).hex()


def assert_same(model, data, xs, features):
    scorer, again = load_scorer(data), rebuild(data)
    wanted = [bits(river_score(model, x, features)) for x in xs]
    assert [bits(score) for score in scorer.score(scorer.matrix(xs)).tolist()] == wanted
    assert [bits(scorer.score_one(x)) for x in xs] == wanted
    assert [bits(river_score(again, x, features)) for x in xs] == wanted


def test_every_model_behind_every_scaler_scores_and_learns_on_as_the_original(factory, feature_set):
    for last, scaler in itertools.product(factory.last_steps, factory.scalers):
        model = factory.learn(factory.make_model(last, scaler), factory.vectors(45, seed=1, missing=0.05), seed=1)
        data = export_artifact(model, feature_set)
        xs = factory.vectors(25, seed=2, missing=0.1)
        assert_same(model, data, xs, factory.features)
        again = rebuild(data)
        assert digest(export_artifact(again, feature_set)) == digest(data), (last, scaler)
        more = factory.vectors(33, seed=3, missing=0.05)
        factory.learn(model, more, seed=3)
        factory.learn(again, more, seed=3)
        onwards = export_artifact(model, feature_set)
        assert digest(export_artifact(again, feature_set)) == digest(onwards), (last, scaler)
        assert digest(onwards) != digest(data), (last, scaler)
        assert_same(model, onwards, xs, factory.features)


@settings(SAME_FIXTURE, max_examples=100)
@given(
    shape=st.tuples(st.integers(1, 6), st.integers(0, 6), st.integers(1, 12)),
    seed=st.integers(0, 2**32),
    learned=st.lists(FULL, min_size=1, max_size=40),
    scored=st.lists(VECTOR, max_size=20),
    scaled=st.booleans(),
)
def test_any_half_space_trees_score_as_rivers(feature_set, shape, seed, learned, scored, scaled):
    n_trees, height, window = shape
    trees = anomaly.HalfSpaceTrees(n_trees=n_trees, height=height, window_size=window, seed=seed)
    model = preprocessing.MinMaxScaler() | trees if scaled else trees
    for x in learned:
        model.learn_one(x)
    ours = SimpleNamespace(label="abc@1", hash="00", features=NAMES)
    data = export_artifact(model, ours, probes=[])
    assert_same(model, data, scored + learned, NAMES)
    assert digest(export_artifact(rebuild(data), ours)) == digest(data)


@settings(SAME_FIXTURE, max_examples=100)
@given(
    learned=st.lists(
        st.tuples(st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, st.floats(-3, 3))), st.booleans()),
        max_size=30,
    ),
    scored=st.lists(VECTOR, max_size=20),
    scaler=st.sampled_from(
        [None, preprocessing.StandardScaler, preprocessing.MinMaxScaler, preprocessing.MaxAbsScaler]
    ),
    make=st.sampled_from(
        [
            linear_model.LogisticRegression,
            linear_model.LinearRegression,
            linear_model.PAClassifier,
            linear_model.ALMAClassifier,
        ]
    ),
    order=st.permutations(NAMES),
)
@example(
    learned=[({"c": 1.0}, True), ({"b": 0.1, "a": 0.2}, True)],
    scored=[{"a": 1e308, "c": 1e308}],
    scaler=None,
    make=linear_model.LogisticRegression,
    order=NAMES,
)
def test_any_linear_model_scores_as_rivers(learned, scored, scaler, make, order):
    model = make() if scaler is None else scaler() | make()
    for x, y in learned:
        model.learn_one({name: x[name] for name in order if name in x}, y)
    ours = SimpleNamespace(label="abc@1", hash="00", features=NAMES)
    data = export_artifact(model, ours)
    assert_same(model, data, scored, NAMES)
    assert digest(export_artifact(rebuild(data), ours)) == digest(data)


def test_the_order_in_which_features_were_first_seen_decides_how_the_sum_is_rounded():
    names = ("a", "b", "c")
    ours = SimpleNamespace(label="abc@1", hash="00", features=names)
    x = {"a": 1e16, "b": 1.0, "c": -1e16}
    scores = set()
    for order in itertools.permutations(names):
        model = linear_model.LinearRegression()
        model.learn_one(dict.fromkeys(order, 1.0), 1.0)
        data = export_artifact(model, ours)
        assert_same(model, data, [x], names)
        scores.add(load_scorer(data).score_one(x))
    assert len(scores) > 1


def test_what_was_scored_before_the_export_does_not_change_the_digest(factory, feature_set):
    learned = [{"amount": float(n), "hour": 2.0} for n in range(30)]
    one, other = (factory.learn(factory.make_model("SGD", "standard"), learned) for _ in range(2))
    for x in factory.vectors(5, seed=1):
        other.predict_proba_one(x)  # River notes features here that it never learned
    assert digest(export_artifact(one, feature_set)) == digest(export_artifact(other, feature_set))


def test_an_export_changes_nothing_in_the_model(factory, feature_set):
    model = factory.learn(factory.make_model("Adam", "standard"), factory.vectors(20, seed=1, features=("amount",)))
    means = dict(model["StandardScaler"].means)
    export_artifact(model, feature_set)
    assert dict(model["StandardScaler"].means) == means


def test_trees_that_were_never_shown_anything_go_on_from_the_same_random_numbers(factory, feature_set):
    model = anomaly.HalfSpaceTrees(n_trees=3, height=3, window_size=5)  # no seed: only its state can be copied
    again = rebuild(export_artifact(model, feature_set))
    xs = factory.vectors(12, seed=1)
    factory.learn(model, xs)
    factory.learn(again, xs)
    assert export_artifact(model, feature_set) == export_artifact(again, feature_set)


def test_a_fresh_process_gives_the_same_scores_and_learns_on_to_the_same_digest(tmp_path, factory, feature_set):
    script = """
import json, sys
from types import SimpleNamespace
from model_store.artifact import digest
from model_store.export import export_artifact
from model_store.rebuild import rebuild
from model_store.river_score import river_score
task = json.load(open(sys.argv[1]))
model = rebuild(bytes.fromhex(task["artifact"]))
scores = [river_score(model, x, task["features"]).hex() for x in task["xs"]]
for x in task["xs"]:
    model.learn_one(x, True)
ours = SimpleNamespace(label="test@1", hash="ab" * 32, features=tuple(task["features"]))
print(json.dumps([scores, digest(export_artifact(model, ours))]))
"""
    model = factory.learn(factory.make_model("Adam", "standard"), factory.vectors(80, seed=1))
    data = export_artifact(model, feature_set)
    xs = factory.vectors(20, seed=2)
    task = {"artifact": data.hex(), "features": factory.features, "xs": xs}
    (tmp_path / "task.json").write_text(json.dumps(task))
    scores = [river_score(model, x, factory.features).hex() for x in xs]
    for x in xs:
        model.learn_one(x, True)
    wanted = [scores, digest(export_artifact(model, feature_set))]
    environment = os.environ | {"PYTHONHASHSEED": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script, str(tmp_path / "task.json")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == wanted


def test_a_matrix_may_be_of_any_layout_and_of_no_rows(trees, factory):
    scorer = load_scorer(trees)
    matrix = scorer.matrix(factory.vectors(9, seed=5, missing=0.2))
    scores = scorer.score(matrix)
    assert scorer.score(np.asfortranarray(matrix)).tolist() == scores.tolist()
    assert scorer.score(np.repeat(matrix, 2, axis=0)[::2]).tolist() == scores.tolist()
    assert scorer.score(scorer.matrix([])).tolist() == []
    with pytest.raises(ValueError, match="takes 5 columns"):
        scorer.score(matrix[:, :4])


def test_a_scorer_names_the_bytes_that_made_it(trees):
    assert load_scorer(trees).digest == digest(trees)
    assert load_scorer(trees).header["trained_until_ms"] == 1000


def test_where_the_compiled_exponential_differs_the_sigmoid_is_pythons(linear, factory, monkeypatch):
    import dataclasses

    from model_store import compiled_scorer

    scorer = load_scorer(linear)
    careful = dataclasses.replace(compiled_scorer.kernels(), exp_is_pythons=False)
    monkeypatch.setattr(compiled_scorer, "kernels", lambda: careful)
    slow = load_scorer(linear)
    xs = factory.vectors(20, seed=4, missing=0.1)
    assert slow.score(slow.matrix(xs)).tolist() == scorer.score(scorer.matrix(xs)).tolist()
    assert [slow.score_one(x) for x in xs] == [scorer.score_one(x) for x in xs]
