"""What an artifact records, and what cannot be exported."""

from __future__ import annotations

import pytest
from river import compose, ensemble, linear_model, naive_bayes, optim, preprocessing

from model_store.artifact import Artifact, digest
from model_store.export import export_artifact
from model_store.river_score import river_score
from udfs.domain.errors import ArtifactError
from udfs.domain.feature_set import FEATURE_SETS


def test_the_header_says_where_a_model_comes_from(feature_set, factory):
    model = factory.learn(factory.make_model("trees", "min-max"), factory.vectors(50, seed=1))
    given = {"seed": 7, "trained_until_ms": 123, "parent": "ef" * 32, "training": {"commit": "c0ffee", "rows": 50}}
    header = Artifact.decode(export_artifact(model, feature_set, **given)).header
    assert {name: header[name] for name in given} == given
    assert header["feature_set"] == {"label": "test@1", "hash": "ab" * 32, "features": list(factory.features)}
    assert set(header["libraries"]) == {"python", "numpy", "river", "zlib"}
    assert header["cost_us"] > 0


def test_the_same_model_gives_the_same_digest_and_another_record_another(feature_set, factory):
    def export(**given):
        model = factory.learn(factory.make_model("trees", "min-max"), factory.vectors(50, seed=1))
        return digest(export_artifact(model, feature_set, **given))

    assert export() == export()
    assert len({export(), export(seed=1), export(parent="00"), export(training={"x": 1})}) == 4


def test_probes_that_are_given_come_first_and_are_filled_up(feature_set, factory):
    model = factory.learn(factory.make_model("SGD", "standard"), factory.vectors(50, seed=1))
    given = factory.vectors(40, seed=9, missing=0.1)
    arrays = Artifact.decode(export_artifact(model, feature_set, probes=given)).arrays
    assert arrays["probes.scores"].tolist()[:40] == [river_score(model, x, factory.features) for x in given]
    assert len(arrays["probes.scores"]) == 48
    many = factory.vectors(100, seed=9)
    assert len(Artifact.decode(export_artifact(model, feature_set, probes=many)).arrays["probes.scores"]) == 100


def test_generated_probes_tell_models_apart(feature_set, factory):
    for last, scaler in (("trees", "min-max"), ("SGD", "standard"), ("SGD", "none")):
        model = factory.learn(factory.make_model(last, scaler), factory.vectors(60, seed=1))
        scores = Artifact.decode(export_artifact(model, feature_set)).arrays["probes.scores"].tolist()
        assert len(set(scores)) > 16


def test_the_feature_sets_of_this_project_are_taken_as_they_are():
    handbook = FEATURE_SETS["handbook"]
    header = Artifact.decode(export_artifact(linear_model.LogisticRegression(), handbook)).header
    assert header["feature_set"] == {
        "label": handbook.label,
        "hash": handbook.hash,
        "features": list(handbook.features),
    }


class Mine(linear_model.LogisticRegression):
    pass


@pytest.mark.parametrize(
    "model",
    [
        naive_bayes.GaussianNB(),
        ensemble.AdaBoostClassifier(linear_model.LogisticRegression()),
        Mine(),
        preprocessing.StandardScaler(),
        preprocessing.RobustScaler() | linear_model.LogisticRegression(),
        linear_model.LogisticRegression(optim.Averager(optim.SGD())),
        linear_model.LogisticRegression(initializer=optim.initializers.Normal(seed=1)),
        linear_model.LinearRegression(loss=optim.losses.Poisson()),
        compose.FuncTransformer(dict) | linear_model.LogisticRegression(),
        pytest.param(object(), id="object"),
    ],
    ids=repr,
)
def test_what_has_no_form_as_data_is_refused(model, feature_set):
    with pytest.raises(ArtifactError) as refused:
        export_artifact(model, feature_set)
    assert refused.value.reason == "unsupported_model"


def test_a_model_of_other_features_than_its_set_is_refused(feature_set, factory):
    for last, scaler in (("trees", "none"), ("trees", "min-max"), ("SGD", "none"), ("ALMA", "none")):
        model = factory.learn(factory.make_model(last, scaler), [{"amount": 1.0, "alien": 2.0}] * 30)
        with pytest.raises(ArtifactError) as refused:
            export_artifact(model, feature_set)
        assert refused.value.reason == "unsupported_model"


def test_weights_that_left_the_numbers_are_refused(feature_set, factory):
    model = factory.learn(factory.make_model("SGD"), factory.vectors(5, seed=1))
    model._weights["amount"] = float("nan")
    with pytest.raises(ArtifactError) as refused:
        export_artifact(model, feature_set)
    assert refused.value.reason == "not_finite"


def test_a_score_does_not_depend_on_the_order_in_which_features_were_recorded(factory):
    model = factory.learn(factory.make_model("SGD"), factory.vectors(9, seed=1))
    for x in factory.vectors(9, seed=2):
        shuffled = dict(reversed(x.items())) | {"unknown": 7.0}
        assert river_score(model, shuffled, factory.features) == river_score(model, x, factory.features)
