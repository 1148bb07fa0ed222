"""Every live role scores every transaction, and an inference names the bytes that scored it."""

from __future__ import annotations

import random

import pytest
from river import anomaly, compose, preprocessing

from model_store.artifact import digest
from model_store.contributions import Contributions
from model_store.export import export_artifact
from model_store.loaded_version import LoadedVersion
from model_store.rebuild import rebuild
from model_store.role_scorer import RoleScorer
from udfs.domain.deployment import Deployment
from udfs.domain.feature_set import FEATURE_SETS
from udfs.domain.inference import alert_of, prediction_of
from udfs.domain.metadata import Activation

NAMES = FEATURE_SETS["creditcard"].features


def artifact(seed: int, trained_until_ms: int = 0) -> bytes:
    trees = anomaly.HalfSpaceTrees(n_trees=3, height=4, window_size=20, seed=seed)
    model, numbers = compose.Pipeline(preprocessing.MinMaxScaler(), trees), random.Random(seed)
    for _ in range(60):
        model.learn_one({name: numbers.random() for name in NAMES})
    return export_artifact(model, FEATURE_SETS["creditcard"], seed=seed, trained_until_ms=trained_until_ms)


FIRST, SECOND = artifact(1), artifact(2, trained_until_ms=1_000)


def activation(seq: int, data: bytes, role: str, effective_from_ms: int = 0) -> Activation:
    return Activation(seq, "fraud", role, str(seq), digest(data), 0.5, effective_from_ms, False)


def transaction(name: str, time_ms: int = 2_000, **changes: object) -> dict:
    numbers = random.Random(name)
    fields = {feature: numbers.random() for feature in NAMES} | changes
    return {
        "kind": "transaction", "transaction_id": name, "event_time_ms": time_ms, "customer_id": "c", "terminal_id": None,
        "amount": 1.0, "fields": {k: v for k, v in fields.items() if v is not None}, "features": {}, "late": False,
        "warming_up": False, "partition": 1, "offset": 7, "ingestion_time_ms": 3_000,
    }  # fmt: skip


def scorer(*activations: Activation, by_event_time: bool = False) -> RoleScorer:
    deployment = Deployment()
    for each in activations:
        deployment = deployment.accept(each)
    versions = {digest(data): LoadedVersion.load(data) for data in (FIRST, SECOND)}
    return RoleScorer(deployment, versions, feature_set=FEATURE_SETS["creditcard"], by_event_time=by_event_time)


def test_champion_and_challenger_score_the_same_event_on_the_same_features():
    both = scorer(activation(1, FIRST, "champion"), activation(2, SECOND, "shadow"))
    batch = [transaction("a"), transaction("b")]
    inferences = both.score(batch, None, 4_000)
    assert [(i["transaction_id"], i["role"]) for i in inferences] == [
        ("a", "champion"), ("b", "champion"), ("a", "shadow"), ("b", "shadow"),
    ]  # fmt: skip
    for inference, data in zip(inferences, [FIRST, FIRST, SECOND, SECOND], strict=True):
        assert inference["digest"] == digest(data)
        assert inference["score"] == rebuild(data).score_one(inference["features"])
    assert inferences[0]["features"] == inferences[2]["features"]


def test_a_missing_feature_gives_a_null_score_with_its_reason_and_no_prediction():
    inferences = scorer(activation(1, FIRST, "champion")).score([transaction("a", V3=None), transaction("b")], None, 0)
    assert [(i["score"] is None, i["reason"]) for i in inferences] == [(True, "missing_feature"), (False, None)]
    assert prediction_of(inferences[0]) is None
    assert alert_of(inferences[0], 0.0) is None


def test_without_a_champion_challengers_still_score_and_the_champion_says_that_there_is_none():
    inferences = scorer(activation(1, FIRST, "shadow")).score([transaction("a")], None, 0)
    assert [(i["role"], i["score"] is None, i["reason"]) for i in inferences] == [
        ("champion", True, "no_champion"), ("shadow", False, None),
    ]  # fmt: skip


def test_what_a_version_was_trained_on_is_scored_and_excluded():
    inferences = scorer(activation(1, SECOND, "champion")).score(
        [transaction("a", 1_000), transaction("b", 1_001)], 5, 0
    )
    assert [i["excluded"] for i in inferences] == [True, False]
    assert [prediction_of(i)["excluded"] for i in inferences] == [True, False]


def test_by_event_time_each_event_is_scored_by_the_version_in_force_then():
    timed = scorer(
        activation(1, FIRST, "champion"), activation(2, SECOND, "champion", effective_from_ms=1_500), by_event_time=True
    )
    inferences = timed.score([transaction("a", 1_499), transaction("b", 1_500)], None, 0)
    assert {i["transaction_id"]: i["version"] for i in inferences} == {"a": "1", "b": "2"}


@pytest.mark.parametrize(("threshold", "alerts"), [(0.0, 1), (1.1, 0), (None, 0)])
def test_an_alert_is_raised_at_or_above_the_threshold_and_its_id_names_transaction_and_rule(threshold, alerts):
    first = scorer(activation(1, FIRST, "champion")).score([transaction("a")], None, 0)[0]
    second = scorer(activation(2, SECOND, "champion")).score([transaction("a")], None, 9)[0]
    raised = [alert_of(i, threshold) for i in (first, second)]
    assert sum(alert is not None for alert in raised) == 2 * alerts
    if alerts:
        assert raised[0]["alert_id"] == raised[1]["alert_id"]


def test_an_alert_tells_which_features_raised_the_score_of_the_version_that_scored():
    one = scorer(activation(1, FIRST, "champion"))
    (inference,) = one.score([transaction("a")], None, 4_000)
    alert = alert_of(inference, 0.0, one.reasons)
    assert alert["reason_method"] == "tree_path"
    assert alert["reasons"] == Contributions.decode(FIRST).reasons(inference["features"])
    assert all(each["value"] == inference["features"][each["feature"]] for each in alert["reasons"])
    assert alert_of(inference, 0.0)["reason_method"] == "none"
