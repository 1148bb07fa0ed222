"""Versions judged by transactions that are new to them, from a dataset or from the topics."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from connectors.data.dataset import open_dataset
from connectors.kafka.record import Record
from jobs.backtest import run_backtest
from jobs.comparison import compare_versions
from jobs.recorded_examples import recorded_examples
from jobs.training.train_artifact import train_artifact
from jobs.training.training_examples import examples_of
from model_store.compiled_scorer import load_scorer
from model_store.rebuild import rebuild
from model_store.river_score import river_score
from udfs.domain.feature_set import FEATURE_SETS

HANDBOOK = FEATURE_SETS["handbook"]
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def dataset():
    return open_dataset("generator", rows=3_000, seed=11)


@pytest.fixture(scope="module")
def examples(dataset):
    return list(examples_of(dataset, HANDBOOK))


@pytest.fixture(scope="module")
def versions(dataset):
    """Trees on the first 1,000 rows, and a regression on the first 1,500."""
    trees = train_artifact(dataset.part(0, 1_000), HANDBOOK, algorithm="half-space-trees").artifact
    regression = train_artifact(dataset.part(0, 1_500), HANDBOOK, algorithm="logistic-regression").artifact
    return trees, regression


def by_hand(artifact, examples):
    model = rebuild(artifact)
    return [river_score(model, each.vector, HANDBOOK.features) for each in examples]


def test_both_are_judged_by_what_is_new_to_both_and_equal_scikit_learn(versions, examples):
    seen: list[int] = []
    found = compare_versions(*(load_scorer(each) for each in versions), examples, seen.append)
    new = examples[1_500:]
    labels = [each.label for each in new]
    for artifact, figures in zip(versions, (found.a, found.b), strict=True):
        scores = by_hand(artifact, new)
        assert figures.roc_auc == pytest.approx(roc_auc_score(labels, scores))
        assert figures.average_precision == pytest.approx(average_precision_score(labels, scores))
    assert (found.positives, found.negatives) == (sum(labels), 1_500 - sum(labels))
    assert (found.excluded, found.unlabelled, found.reason) == (1_500, 0, None)
    assert found.ci_low < found.difference < found.ci_high
    assert found.difference == pytest.approx(found.a.roc_auc - found.b.roc_auc)
    assert seen == [1_000, 2_000, 3_000]


def test_without_a_fraud_there_is_a_reason_instead_of_a_figure(versions, examples):
    genuine = [each for each in examples if each.label == 0]
    found = compare_versions(*(load_scorer(each) for each in versions), genuine)
    assert (found.a.roc_auc, found.difference, found.p_value, found.positives) == (None, None, None, 0)
    assert found.reason == "no labelled fraud that is new to both versions"
    nothing = compare_versions(*(load_scorer(each) for each in versions), [])
    assert nothing.negatives == 0
    assert "genuine transaction" in nothing.reason


def test_a_backtest_counts_each_day_once_and_leaves_out_what_the_version_knows(versions, examples):
    found = run_backtest(versions[0], examples, threshold=0.5)
    new = examples[1_000:]
    scores = np.array(by_hand(versions[0], new))
    assert found.excluded == 1_000
    assert sum(day.scored for day in found.days) == found.total.scored == 2_000
    assert found.total.roc_auc == pytest.approx(roc_auc_score([each.label for each in new], scores))
    assert found.total.alerts == int((scores >= 0.5).sum())
    assert [day.day for day in found.days] == sorted({day.day for day in found.days})
    one = found.days[3]
    its = [index for index, each in enumerate(new) if str(np.datetime64(each.event_time_ms, "ms"))[:10] == one.day]
    assert (one.scored, one.positives) == (len(its), sum(new[index].label for index in its))
    if 0 < one.positives < one.labelled:
        assert one.roc_auc == pytest.approx(roc_auc_score([new[i].label for i in its], scores[its]))
        assert one.ci_low <= one.roc_auc <= one.ci_high


def test_since_and_until_choose_by_event_time(versions, examples):
    times = [each.event_time_ms for each in examples]
    found = run_backtest(versions[0], examples, since_ms=times[2_000], until_ms=times[2_500])
    assert found.total.scored == 500
    assert found.total.alerts is None


def test_a_backtest_that_learns_is_the_training_that_went_on(versions, examples, dataset):
    found = run_backtest(versions[0], examples, learn=True)
    went_on = train_artifact(dataset, HANDBOOK, algorithm="half-space-trees", parent=versions[0]).trained
    assert found.learning
    assert found.total.roc_auc == went_on.roc_auc
    assert found.total.average_precision == went_on.average_precision
    assert found.total.roc_auc != run_backtest(versions[0], examples).total.roc_auc


def record(offset: int, value: Any) -> Record:
    return Record(0, offset, 10**13, None, value if value is None else json.dumps(value).encode())


def test_the_streams_record_gives_each_transaction_once_with_its_newest_truth():
    def truth(name, label, revision=0, **more):
        return {
            "transaction_id": name, "label": label, "revision": revision, "truth_time_ms": 9_000, "event_time_ms": 1_000,
            "customer_id": "c", **more,
        }  # fmt: skip

    def inference(name, time_ms, role="champion", label="two@1", **features):
        return {
            "transaction_id": name, "event_time_ms": time_ms, "role": role, "feature_set": label, "features": features,
        }  # fmt: skip

    topics = {
        "truths": [
            truth("t1", 0), truth("t1", 1, 2), truth("t1", 0, 1), truth("t2", 0), truth("t3", 1, intervened=True),
            {"control": "close", "event_time_ms": 5}, None, {"transaction_id": "t4"},
        ],
        "inferences": [
            inference("t2", 2_000, a=1.0, b=2.0), inference("t1", 1_000, b=3.0, a=4.0),
            inference("t1", 1_000, role="shadow", a=4.0, b=3.0), inference("t3", 3_000, a=0.0, b=0.0),
            inference("t4", 4_000, a=0.0, b=0.0), inference("t5", 5_000, a=0.0),
            inference("t6", 6_000, label="three@1", a=0.0, b=0.0), None,
        ],
    }  # fmt: skip

    def read(topic):
        return (record(offset, value) for offset, value in enumerate(topics[topic]))

    found = recorded_examples("", "two@1", ("a", "b"), read=read)
    assert [(each.event_time_ms, each.label, list(each.vector.items())) for each in found] == [
        (1_000, 1, [("a", 4.0), ("b", 3.0)]),
        (2_000, 0, [("a", 1.0), ("b", 2.0)]),
        (3_000, None, [("a", 0.0), ("b", 0.0)]),
        (4_000, None, [("a", 0.0), ("b", 0.0)]),
    ]
    assert found[0].truth_time_ms == 9_000
