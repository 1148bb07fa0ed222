"""One stream twice, as JSON and as Avro: the job says the same of it, and the tools read both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest

from jobs.transaction_sum import TransactionSum
from tests.e2e.local import Local
from tests.e2e.models import stream, trained
from tests.e2e.scoring import Scoring
from udfs.wire.avro_codec import AvroCodec

ROWS = 2_000
CLOSING = 4
SAME = (
    *("event_time_ms", "version", "role", "digest", "score", "reason", "feature_set", "features", "warming_up", "late"),
    "source_partition",
)


@dataclass
class Answers:
    """What a job said of the stream, and a value of each topic as it lies in Kafka."""

    total: TransactionSum
    inferences: dict[tuple[str, str], dict[str, Any]]
    quality: dict[tuple[str, str, int], dict[str, Any]]
    raw: dict[str, bytes]
    verified: dict[str, Any]
    restarts: int


def run(local: Local, payload: Literal["json", "avro"]) -> Answers:
    # in event time, so that neither the order of arrival nor of partitions shows in the features
    scoring = Scoring(local, f"payload-{payload}", payload=payload, order="event_time")
    try:
        scoring.deploy(trained(1), "1")
        scoring.deploy(trained(2), "2", role="challenger")
        scoring.submit()
        scoring.wait_for_event("activated", "2")
        scoring.produce(stream(ROWS), close=True)
        total = scoring.wait_for_sum(ROWS + CLOSING)
        inferences = scoring.messages("inferences")
        return Answers(
            total,
            {(each["transaction_id"], each["role"]): {name: each[name] for name in SAME} for each in inferences},
            {
                (each["version"], each["series"], each["window_start_ms"]): each
                for each in scoring.messages("model_quality")
            },
            {topic: scoring.raw_values(topic, 1)[0] for topic in ("transactions", "inferences")},
            local.weir_json("verify", model=scoring.model, payload=payload),
            scoring.restarts(),
        )
    finally:
        scoring.stop()


@pytest.fixture(scope="module")
def answers(local) -> dict[str, Answers]:
    return {payload: run(local, payload) for payload in ("json", "avro")}


def test_the_sum_holds_with_both(answers):
    for each in answers.values():
        assert each.total.holds, str(each.total)
        assert each.total.dead_letters == 0
        assert each.restarts == 0
        assert len(each.inferences) == 2 * ROWS


def test_transactions_and_inferences_lie_in_kafka_as_asked_for(answers):
    for topic in ("transactions", "inferences"):
        json_value, avro_value = (answers[payload].raw[topic] for payload in ("json", "avro"))
        assert json_value.startswith(b"{")
        assert AvroCodec.reads(avro_value)
        assert len(avro_value) < len(json_value)


def test_every_inference_is_the_same(answers):
    assert answers["avro"].inferences == answers["json"].inferences


def test_the_final_quality_is_the_same(answers):
    def final(each: Answers) -> dict[Any, Any]:
        return {
            at: {name: value for name, value in row.items() if name not in ("model", "revision", "time_ms")}
            for at, row in each.quality.items()
            if row["final"]
        }

    assert final(answers["json"])
    assert final(answers["avro"]) == final(answers["json"])


def test_verify_makes_every_score_again_from_both(answers):
    for each in answers.values():
        assert each.verified["compared"] == 2 * ROWS
        assert each.verified["mismatched"] == 0
