"""What the gate refuses, and with which word."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model_store.admission import admit
from model_store.artifact import Artifact, digest
from model_store.export import export_artifact
from model_store.rebuild import rebuild
from udfs.domain.errors import ArtifactError

FEATURE_SETS = {"test@1": "ab" * 32}


def refusal(data, digest_named=None, **limits):
    with pytest.raises(ArtifactError) as refused:
        admit(data, digest(data) if digest_named is None else digest_named, feature_sets=FEATURE_SETS, **limits)
    return refused.value.reason


def put(path, value):
    """An edit that sets a value deep in the header: ``model.steps.1.height``."""

    def edit(header, arrays):
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        for part in parents:
            header = header[part]
        header[last] = value

    return edit


def test_a_good_artifact_is_admitted_and_scores(trees, linear, feature_set, factory):
    for data in (trees, linear):
        scorer = admit(data, digest(data), feature_sets=FEATURE_SETS)
        assert scorer.digest == digest(data)
        assert len(scorer.score(scorer.matrix(factory.vectors(3, seed=1)))) == 3
    assert admit(trees, digest(trees), feature_sets={"test@1": feature_set}).features == factory.features


def test_other_bytes_than_the_registry_names_are_refused(trees, linear):
    assert refusal(trees, digest(linear)) == "wrong_digest"
    assert refusal(b"garbage that is long enough to be read" * 3, digest(linear)) == "wrong_digest"
    assert refusal(trees, digest(trees).upper()) == "wrong_digest"
    assert refusal(trees, "") == "wrong_digest"


def test_truncated_bytes_are_called_so_whatever_digest_is_named(trees):
    assert refusal(trees[:-1]) == "truncated"
    assert refusal(trees[: len(trees) // 2], digest(trees)) == "truncated"
    assert refusal(b"") == "truncated"


def test_too_many_bytes_are_refused(trees):
    assert refusal(bytes(4 * 1024 * 1024 + 1)) == "oversized"
    assert refusal(trees + bytes(4 * 1024 * 1024), digest(trees)) == "oversized"


def test_other_files_are_refused(trees):
    assert refusal(b"PK\x03\x04" + bytes(500)) == "not_an_artifact"
    assert refusal(trees[:70] + b"?" + trees[71:]) == "corrupt"


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (put("kind", "onnx"), "unknown_kind"),
        (put("kind", None), "unknown_kind"),
        (put("kind", ["half_space_trees"]), "unknown_kind"),
        (put("model.steps.1.type", "ARFClassifier"), "unknown_kind"),
        (put("model.steps.0.type", "os.system"), "unknown_kind"),
        (put("feature_set.label", "handbook@9"), "unknown_feature_set"),
        (put("feature_set.label", "test@2"), "unknown_feature_set"),
        (put("feature_set.hash", "cd" * 32), "feature_set_hash"),
        (put("feature_set.hash", None), "feature_set_hash"),
        (put("model.steps.1.first_window", True), "not_warm"),
        (put("cost_us", 1e6), "cost"),
        (put("cost_us", "cheap"), "cost"),
        (put("cost_us", -1), "cost"),
        (put("trained_until_ms", "yesterday"), "malformed"),
        (put("kind", "linear"), "malformed"),
        (put("model.steps.1.height", 5), "malformed"),
        (put("model.steps.1.height", 10**9), "malformed"),
        (put("model.steps.1.n_trees", -1), "malformed"),
        (put("model.steps.1.window_size", 2**60), "malformed"),
        (put("model.steps.0.names", ["amount"]), "malformed"),
        (put("model.steps.0.names", 7), "malformed"),
        (put("model.steps", []), "malformed"),
        (put("feature_set.features", ["amount", "amount"]), "malformed"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(trees, tampered, edit, reason):
    assert refusal(tampered(trees, edit)) == reason


def poke(name, value):
    """An edit that sets the first number of an array."""

    def edit(header, arrays):
        arrays[name].flat[0] = value

    return edit


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (poke("1.threshold", np.nan), "not_finite"),
        (poke("0.min", -np.inf), "not_finite"),
        (poke("probes.scores", np.nan), "not_finite"),
        (poke("1.feature", 5), "malformed"),
        (poke("1.feature", -1), "malformed"),
        (poke("1.r_mass", -1), "malformed"),
        (poke("1.r_mass", 2**40), "malformed"),
        (poke("probes.scores", 0.5), "probes"),
        (poke("1.r_mass", 3), "probes"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(trees, tampered, edit, reason):
    assert refusal(tampered(trees, edit)) == reason


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (poke("1.weights", np.nan), "not_finite"),
        (poke("1.weights", np.inf), "not_finite"),
        (poke("1.optimizer.m", np.nan), "not_finite"),
        (poke("0.var", -1.0), "malformed"),
        (poke("1.weights", 123.0), "probes"),
        (put("model.steps.1.optimizer.type", "optim.newton.Newton"), "unknown_kind"),
        (put("model.steps.1.optimizer.type", "optim.losses.Log"), "unknown_kind"),
        (put("model.steps.1.loss", None), "malformed"),
        (put("model.steps.1.intercept", "1"), "malformed"),
        (put("model.steps.1.intercept", 10**400), "malformed"),
        (put("model.steps.1.weights", {"names": ["amount"], "container": "vector"}), "malformed"),
    ],
)
def test_a_linear_model_that_does_not_fit_is_refused(linear, tampered, edit, reason):
    assert refusal(tampered(linear, edit)) == reason


def test_a_score_in_another_last_bit_is_refused(trees, linear, tampered):
    def nudge(header, arrays):
        arrays["probes.scores"].view(np.int64)[3] ^= 1

    assert refusal(tampered(trees, nudge)) == "probes"
    assert refusal(tampered(linear, nudge)) == "probes"


def test_fewer_than_32_probes_are_refused(trees, tampered):
    def keep(count):
        def edit(header, arrays):
            for name in ("probes.vectors", "probes.scores"):
                arrays[name] = arrays[name][:count]

        return edit

    assert refusal(tampered(trees, keep(31))) == "probes"
    assert refusal(tampered(trees, keep(0))) == "probes"
    assert refusal(tampered(trees, lambda header, arrays: arrays.pop("probes.scores"))) == "probes"
    assert refusal(tampered(trees, lambda header, arrays: arrays.pop("probes.vectors"))) == "malformed"
    data = tampered(trees, keep(32))
    assert admit(data, digest(data), feature_sets=FEATURE_SETS)


def test_a_model_that_is_too_big_is_refused_even_when_it_records_no_cost(feature_set, factory, tampered):
    from river import anomaly

    model = factory.learn(
        anomaly.HalfSpaceTrees(n_trees=200, height=5, window_size=5, seed=1), factory.vectors(9, seed=1)
    )
    data = tampered(export_artifact(model, feature_set), put("cost_us", 0.0))
    assert refusal(data, cost_limit_us=5.0) == "cost"
    assert admit(data, digest(data), feature_sets=FEATURE_SETS, cost_limit_us=50.0)


def test_trees_whose_first_window_is_open_are_refused(feature_set, factory):
    for count in (0, 1, 19):
        model = factory.learn(factory.make_model("trees", "min-max"), factory.vectors(count, seed=1))
        assert refusal(export_artifact(model, feature_set)) == "not_warm"


def test_an_untrained_linear_model_is_admitted_because_it_scores_as_river_does(feature_set, factory):
    data = export_artifact(factory.make_model("SGD"), feature_set)
    assert admit(data, digest(data), feature_sets=FEATURE_SETS).score_one({"amount": 1.0}) == 0.5


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=400)
@given(
    seed=st.integers(0, 2**32),
    junk=st.sampled_from([None, True, -1, 0, 3, 2**70, 0.5, "x", [], [[]], {}, ["amount"], {"names": []}]),
)
def test_any_wrong_value_anywhere_in_the_header_is_refused_or_harmless(trees, linear, seed, junk):
    rng = random.Random(seed)
    artifact = Artifact.decode(rng.choice([trees, linear]))
    places = []

    def walk(node):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            places.append((node, key))
            if isinstance(value, dict | list):
                walk(value)

    walk(artifact.header)
    node, key = rng.choice(places)
    node[key] = junk
    data = artifact.encode()
    for load in (lambda: admit(data, digest(data), feature_sets=FEATURE_SETS), lambda: rebuild(data)):
        try:
            load()
        except ArtifactError:
            pass
