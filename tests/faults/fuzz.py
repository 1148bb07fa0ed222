"""Sends malformed records to a running job, among good ones, and looks for what became of each."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

import orjson
from kafka import KafkaProducer

from connectors.kafka.reader import read_topic
from tests.e2e.models import stream
from tests.e2e.scoring import Scoring
from tests.faults.fuzzer import Fuzzer

__all__ = ["FuzzResult", "fuzz"]

Position = tuple[str, int, int]


@dataclass
class FuzzResult:
    """What became of the malformed records.

    Parameters
    ----------
    sent
        How many went to which topic.
    reasons
        How many came back with which reason.
    unanswered, unexplained
        Mutations of those that never came back, or came without a reason.
    restarts
        How often the job was restarted meanwhile.
    """

    sent: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    unanswered: Counter[str] = field(default_factory=Counter)
    unexplained: Counter[str] = field(default_factory=Counter)
    restarts: int = 0


def fuzz(scoring: Scoring, count: int, seed: int, patience_s: float) -> FuzzResult:
    """Send so many malformed records to a job that runs, and wait until each is answered or the patience ends."""
    fuzzer = Fuzzer(seed, list(stream(500, seed=seed).transactions()), scoring.model)
    result = FuzzResult()
    positions: dict[Position, str] = {}
    before = scoring.restarts()
    producer = KafkaProducer(
        bootstrap_servers=scoring.bootstrap, max_request_size=17_000_000, acks="all", linger_ms=5, metrics_enabled=False
    )
    waiting = []
    for number, record in enumerate(fuzzer.records(count), start=1):
        waiting.append((record, producer.send(record.topic, key=record.key, value=record.value)))
        result.sent[record.topic] += 1
        if number % 500 == 0 or number == count:
            for sent, future in waiting:
                at = future.get(60)
                positions[sent.topic, at.partition, at.offset] = sent.mutation
            waiting = []
    producer.close()
    answered = _answers(scoring, positions, time.monotonic() + patience_s)
    for position, mutation in positions.items():
        if position not in answered:
            result.unanswered[f"{position[0]}: {mutation}"] += 1
        elif not answered[position]:
            result.unexplained[f"{position[0]}: {mutation}"] += 1
        else:
            result.reasons[answered[position]] += 1
    result.restarts = scoring.restarts() - before
    return result


def _answers(scoring: Scoring, positions: dict[Position, str], deadline: float) -> dict[Position, str]:
    """Return the reason by position, reading on from where the topic was read to."""
    answered: dict[Position, str] = {}
    read_to: dict[int, int] = {}
    while len(answered) < len(positions) and time.monotonic() < deadline:
        for record in read_topic(scoring.bootstrap, "dead_letters", from_offsets=read_to):
            read_to[record.partition] = record.offset + 1
            letter = orjson.loads(record.value or b"{}")
            position = (letter["topic"], letter["partition"], letter["offset"])
            if position in positions:
                answered[position] = letter["reason"] if letter["detail"] else ""
        time.sleep(0.5)
    return answered
