"""One screen about one transaction, from topics and artifacts in memory."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.data.dataset import open_dataset
from connectors.kafka.record import Record
from jobs.explanation import explain_transaction
from jobs.report.explanation_lines import explanation_lines
from jobs.training.train_artifact import train_artifact
from jobs.training.training_examples import examples_of
from model_store.artifact import digest
from model_store.model_version import ModelVersion
from model_store.rebuild import rebuild
from model_store.river_score import river_score
from udfs.domain.errors import RegistryError, SettingsError
from udfs.domain.feature_set import FEATURE_SETS

HANDBOOK = FEATURE_SETS["handbook"]


@pytest.fixture(scope="module")
def artifact():
    dataset = open_dataset("generator", rows=600, seed=4)
    return train_artifact(dataset, HANDBOOK, algorithm="half-space-trees").artifact


class Registry:
    def version(self, model: str, version: str) -> ModelVersion:
        if version != "1":
            msg = "not there"
            raise RegistryError(msg)
        return ModelVersion(model, version, "", None, "", "", (), "", 0, commit="abcdef0123456789")


@pytest.fixture
def topics(artifact) -> dict[str, list[Any]]:
    dataset = open_dataset("generator", rows=700, seed=5)
    example = next(examples_of(dataset, HANDBOOK, first_row=650))
    score = river_score(rebuild(artifact), example.vector, HANDBOOK.features)
    event = {
        "transaction_id": "t1", "event_time_ms": 1_530_000_000_000, "customer_id": "c1", "terminal_id": "x9",
        "amount": 12.5,
    }  # fmt: skip
    inference = {
        **{name: event[name] for name in ("transaction_id", "event_time_ms")}, "model": "fraud", "version": "1",
        "role": "champion", "digest": digest(artifact), "score": score, "reason": None, "feature_set": HANDBOOK.label,
        "features": example.vector, "warming_up": False, "late": True, "excluded": False, "deployment_seq": 1,
        "prediction_time_ms": 1_530_000_000_001,
    }  # fmt: skip
    quality = {
        "model": "fraud", "version": "1", "role": "champion", "series": "event_time", "window_start_ms": 0,
        "roc_auc": 0.75, "ci_low": 0.6, "ci_high": 0.9, "positives": 5, "negatives": 70, "revision": 3, "reason": None,
    }  # fmt: skip
    truth = {
        "transaction_id": "t1", "label": 1, "revision": 0, "truth_time_ms": 1_530_600_000_000,
        "event_time_ms": event["event_time_ms"], "customer_id": "c1",
    }  # fmt: skip
    return {
        "transactions": [
            {**event, "transaction_id": "t0", "event_time_ms": 1_529_000_000_000, "terminal_id": "x1"},
            event, {**event, "transaction_id": "t2", "event_time_ms": 1_531_000_000_000}, event, "junk",
        ],
        "truths": [truth, {"control": "close", "event_time_ms": 1}],
        "inferences": [{**inference, "role": "shadow", "version": "7"}, inference, {**inference, "transaction_id": "t11"}],
        "alerts": [{"transaction_id": "t1", "alert_id": "a" * 64, "score": score, "threshold": 0.5, "version": "1"}],
        "dead_letters": [{"topic": "transactions", "partition": 0, "offset": 3, "reason": "duplicate"}],
        "model_quality": [{**quality, "revision": 2, "roc_auc": 0.5}, quality],
    }  # fmt: skip


def explained(topics, artifact, name="t1"):
    def read(topic):
        for offset, value in enumerate(topics[topic]):
            yield Record(0, offset, 1_540_000_000_000, None, json.dumps(value).encode() if value != "junk" else b"{")

    def load(wanted):
        assert wanted == digest(artifact)
        return artifact

    return explain_transaction(name, read, Registry(), load)


def test_the_screen_says_everything_and_the_score_comes_out_again(topics, artifact):
    found = explained(topics, artifact)
    text = "\n".join(explanation_lines(found))
    for part in (
        "transaction t1: 2018-06-26 08:00:00 UTC, transactions/0 offset 1",
        "customer c1, terminal x9, amount 12.5",
        "before     2018-06-14 18:13:20 UTC t0 amount 12.5, same customer",
        "TX_AMOUNT=", "(late)", f"version    fraud 1, artifact {digest(artifact)}",
        "trained    half-space-trees on generator seed 4", "rows 0:600", "commit abcdef012345",
        "of the version: 0.7500 (95 % 0.6000-0.9000) from 5 frauds, 70 genuine",
        "alert      aaaaaaaaaaaa", "truth      fraud, known 2018-07-03", "dead letter duplicate at 0/3",
        "effect     champion: counts as one positive",
    ):  # fmt: skip
        assert part in text, part
    assert text.count("scored again now: equal") == 2
    assert [each.inference["role"] for each in found.judgements] == ["champion", "shadow"]
    assert "commit unknown" in text  # the challenger was deployed by a row, MLflow does not know it
    assert "t2" not in text
    assert found.equal


def test_a_score_with_another_last_bit_is_said_to_differ(topics, artifact):
    topics["inferences"][1]["score"] *= 1 + 2**-52
    found = explained(topics, artifact)
    assert not found.equal
    assert "scored again now: differs: recorded 0x" in "\n".join(explanation_lines(found))


def test_a_transaction_without_champion_or_truth_is_explained_as_far_as_it_goes(topics, artifact):
    only = {**topics["inferences"][1], "digest": None, "score": None, "model": None, "version": None,
            "reason": "no_champion"}  # fmt: skip
    topics |= {"inferences": [only], "truths": [], "alerts": [], "model_quality": []}
    text = "\n".join(explanation_lines(explained(topics, artifact)))
    assert "champion   no score, no_champion" in text
    assert "truth      not known" in text
    assert "version " not in text


def test_an_intervened_truth_and_a_known_transaction_have_no_effect(topics, artifact):
    topics["inferences"][1]["excluded"] = True
    topics["truths"].append({**topics["truths"][0], "revision": 1, "intervened": True})
    text = "\n".join(explanation_lines(explained(topics, artifact)))
    assert "champion: none, the version was trained on events up to it" in text
    assert "shadow: none, it was intervened with" in text


def test_a_transaction_that_nobody_has_seen_is_a_sentence(topics, artifact):
    with pytest.raises(SettingsError, match="No topic holds the transaction 't'"):
        explained(topics, artifact, "t")
