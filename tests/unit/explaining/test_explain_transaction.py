"""One screen about one transaction, from topics and artifacts in memory."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from connectors.data.dataset import open_dataset
from connectors.kafka.topic_search import TopicSearch
from jobs.explaining.explain_transaction import explain_transaction
from jobs.report.explanation_lines import explanation_lines
from jobs.training.train_artifact import train_artifact
from jobs.training.training_examples import examples_of
from model_store.artifact import digest
from model_store.model_version import ModelVersion
from model_store.rebuild import rebuild
from model_store.river_score import river_score
from tests.unit.kafka.fake_kafka import FakeBroker, FakeConsumer
from udfs.domain.errors import RegistryError, SettingsError
from udfs.domain.feature_set import FEATURE_SETS

HANDBOOK = FEATURE_SETS["handbook"]
CAME_MS = 1_540_000_000_000


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
    """Return the messages of each topic, for a test to change before it asks."""
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
        "source_partition": 1, "source_offset": 1, "ingestion_time_ms": CAME_MS,
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
    letter = {"topic": "transactions", "partition": 1, "offset": 3, "reason": "duplicate", "payload_sha256": "",
              "payload": '{"transaction_id": "t1", "customer_id": "***", "am'}  # fmt: skip
    return {
        "transactions": [
            {**event, "transaction_id": "t0", "event_time_ms": 1_529_000_000_000, "terminal_id": "x1"},
            event, {**event, "transaction_id": "t2", "event_time_ms": 1_531_000_000_000}, event, "junk",
        ],
        "truths": [truth, {"control": "close", "event_time_ms": 1}],
        "inferences": [{**inference, "role": "shadow", "version": "7"}, inference, {**inference, "transaction_id": "t11"}],
        "alerts": [{"transaction_id": "t1", "alert_id": "a" * 64, "score": score, "threshold": 0.5, "version": "1"}] * 2,
        "dead_letters": [letter, {**letter, "offset": 9, "payload": '{"transaction_id":"t11"}'}],
        "model_quality": [{**quality, "revision": 2, "roc_auc": 0.5}, quality],
    }  # fmt: skip


def put(broker: FakeBroker, topics: dict[str, list[Any]]) -> None:
    """Append the messages as the producers and the job do: each where its key belongs."""
    with TopicSearch("b") as search:
        for topic, messages in topics.items():
            for message in messages:
                if topic == "transactions":
                    key, partition = "c1", 1
                elif topic == "model_quality":
                    key = "/".join((*(message[name] for name in ("model", "version", "role", "series")), "0"))
                    partition = search.partition_of(topic, key)
                else:
                    key = message.get("transaction_id", "")
                    partition = search.partition_of(topic, key)
                value = b"{" if message == "junk" else json.dumps(message).encode()
                broker.append(topic, partition, value, key.encode(), CAME_MS)


@pytest.fixture
def explained(monkeypatch, topics, artifact):
    """Return a function that explains a transaction of these topics."""

    def load(wanted):
        if wanted != digest(artifact):
            raise RegistryError("not there")
        return artifact

    def explain(name="t1", forget=(), fill=put):
        broker = FakeBroker()
        monkeypatch.setattr("connectors.kafka.consumer.KafkaConsumer", partial(FakeConsumer, broker))
        fill(broker, topics)
        for topic in forget:
            broker.begins |= {(topic, each): len(broker.logs[topic, each]) for each in range(broker.partitions)}
        with TopicSearch("b") as search:
            return explain_transaction(name, search, Registry(), load)

    return explain


def test_the_screen_says_everything_and_the_score_comes_out_again(explained, artifact):
    found = explained()
    text = "\n".join(explanation_lines(found))
    for part in (
        "transaction t1: 2018-06-26 08:00:00 UTC, transactions/1 offset 1",
        "customer c1, terminal x9, amount 12.5",
        "before     2018-06-14 18:13:20 UTC t0 amount 12.5, same customer",
        "TX_AMOUNT=", "(late)", f"version    fraud 1, artifact {digest(artifact)}",
        "trained    half-space-trees on generator seed 4", "rows 0:600", "commit abcdef012345",
        "of the version: 0.7500 (95 % 0.6000-0.9000) from 5 frauds, 70 genuine",
        "alert      aaaaaaaaaaaa", "truth      fraud, known 2018-07-03", "dead letter duplicate at 1/3",
        "effect     champion: counts as one positive",
    ):  # fmt: skip
        assert part in text, part
    assert text.count("scored again now: equal") == 2
    assert [each.inference["role"] for each in found.judgements] == ["champion", "shadow"]
    assert "commit unknown" in text  # the challenger was deployed by a row, MLflow does not know it
    assert "t2" not in text
    assert text.count("dead letter") == text.count("alert ") == 1
    assert found.equal


def test_a_score_with_another_last_bit_is_said_to_differ(explained, topics):
    topics["inferences"][1]["score"] *= 1 + 2**-52
    found = explained()
    assert not found.equal
    assert "scored again now: differs: recorded 0x" in "\n".join(explanation_lines(found))


def test_a_transaction_without_champion_or_truth_is_explained_as_far_as_it_goes(explained, topics):
    only = {**topics["inferences"][1], "digest": None, "score": None, "model": None, "version": None,
            "reason": "no_champion"}  # fmt: skip
    topics |= {"inferences": [only], "truths": [], "alerts": [], "model_quality": []}
    text = "\n".join(explanation_lines(explained()))
    assert "champion   no score, no_champion" in text
    assert "truth      not known" in text
    assert "version " not in text


def test_an_intervened_truth_and_a_known_transaction_have_no_effect(explained, topics):
    topics["inferences"][1]["excluded"] = True
    topics["truths"].append({**topics["truths"][0], "revision": 1, "intervened": True})
    text = "\n".join(explanation_lines(explained()))
    assert "champion: none, the version was trained on events up to it" in text
    assert "shadow: none, it was intervened with" in text


def test_a_transaction_that_nobody_has_seen_is_a_sentence(explained):
    with pytest.raises(SettingsError, match="No topic holds the transaction 't'"):
        explained("t")


def test_what_retention_has_removed_is_said_to_be_gone_and_the_rest_is_told(explained):
    found = explained(forget=["transactions", "truths"])
    assert (found.event, found.past, found.truths) == (None, (), ())
    assert [each.again for each in found.judgements] == ["equal", "equal"]
    assert explanation_lines(found)[0] == "transaction t1: its event is no longer in the topic"


def test_what_was_refused_and_never_scored_is_found_by_itself(explained, topics):
    topics["transactions"] = [{"transaction_id": "bad", "amount": "much"}]
    refused = {"topic": "transactions", "partition": 1, "offset": 0, "reason": "wrong_type", "payload": "{"}
    topics["dead_letters"] = [refused]
    found = explained("bad")
    assert (found.event["amount"], found.judgements, found.dead) == ("much", (), (refused,))


def test_a_truth_is_found_where_another_partitioner_has_put_it(explained, topics):
    truths, topics["truths"] = topics["truths"], []

    def elsewhere(broker, topics):
        put(broker, topics)
        with TopicSearch("b") as search:
            other = (search.partition_of("truths", "t1") + 1) % 4
        broker.append("truths", other, json.dumps(truths[0]).encode(), b"t1", CAME_MS)

    found = explained(fill=elsewhere)
    assert [each["label"] for each in found.truths] == [1]


def test_an_artifact_that_is_gone_is_said_and_the_others_are_scored_again(explained, topics):
    topics["inferences"][0]["digest"] = "f" * 64
    champion, shadow = explained().judgements
    assert (champion.again, shadow.again) == ("equal", "cannot be scored again: not there")
