"""The stream's own record as examples: features as they were recorded when they were scored, truths as known now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson

from connectors.kafka.reader import end_offsets, read_topic
from connectors.kafka.record import Record
from jobs.training.training_course import Example
from udfs.domain.event import Position, Truth
from udfs.domain.parsing import parse_truth

__all__ = ["recorded_examples"]

Read = Callable[[str], Iterator[Record]]
_PROGRESS_EVERY = 1_000


def recorded_examples(
    bootstrap: str,
    feature_set: str,
    features: tuple[str, ...],
    *,
    progress: Callable[[int, int], None] | None = None,
    read: Read | None = None,
) -> list[Example]:
    """Return each transaction of the topic ``inferences`` once, in event order, with its newest truth.

    Parameters
    ----------
    bootstrap
        Address of a broker, ``host:port``.
    feature_set, features
        Label and names; inferences on another feature set or with a feature missing are left out, and transactions that
        were intervened with have no label: what would have become of them is not known.
    progress
        Called with the records read so far and about how many there are.
    read
        Instead of the broker: yields a topic's records.

    Raises
    ------
    ConnectionLostError
        If the broker does not answer.
    """
    if read is None:
        total = sum(sum(end_offsets(bootstrap, topic).values()) for topic in ("truths", "inferences"))

        def read(topic: str) -> Iterator[Record]:
            return read_topic(bootstrap, topic)
    else:
        total = 0
    seen = 0
    truths: dict[str, Truth] = {}
    examples: dict[str, Example] = {}
    for topic in ("truths", "inferences"):
        for record in read(topic):
            seen += 1
            if progress is not None and not seen % _PROGRESS_EVERY:
                progress(seen, total)
            if topic == "truths":
                _note(truths, record)
                continue
            inference = orjson.loads(record.value or b"null")
            vector = _vector(inference, feature_set, features)
            if vector is not None and inference["transaction_id"] not in examples:
                examples[inference["transaction_id"]] = _example(inference, vector, truths)
    return sorted(examples.values(), key=lambda example: example.event_time_ms)


def _note(truths: dict[str, Truth], record: Record) -> None:
    """Keep the newest truth of a transaction: the highest revision, and the graver of two with one revision."""
    position = Position(partition=record.partition, offset=record.offset, ingestion_time_ms=record.timestamp_ms)
    text = None if record.value is None else record.value.decode(errors="replace")
    truth = parse_truth(text, position)
    if isinstance(truth, dict):
        before = truths.get(truth["transaction_id"])
        if before is None or _rank(truth) > _rank(before):
            truths[truth["transaction_id"]] = truth


def _rank(truth: Truth) -> tuple[int, bool, int]:
    return truth["revision"], truth["intervened"], truth["label"]


def _vector(inference: Any, feature_set: str, features: tuple[str, ...]) -> dict[str, float] | None:  # noqa: ANN401
    if not isinstance(inference, dict) or inference.get("feature_set") != feature_set:
        return None
    recorded = inference["features"]
    return {name: recorded[name] for name in features} if all(name in recorded for name in features) else None


def _example(inference: dict[str, Any], vector: dict[str, float], truths: dict[str, Truth]) -> Example:
    truth = truths.get(inference["transaction_id"])
    known = truth is not None and not truth["intervened"]
    return Example(
        inference["event_time_ms"],
        vector,
        truth["label"] if truth is not None and known else None,
        truth["truth_time_ms"] if truth is not None and known else None,
    )
