"""What the topics hold about a sample of inferences: every event of their customers and terminals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.kafka.record import Record
from udfs.domain.deployment import CHAMPION
from udfs.domain.event import Position, Transaction, Truth
from udfs.domain.feature_catalog import CODE_LABELS, FeatureCatalog
from udfs.domain.parsing import parse_transaction, parse_truth

__all__ = ["RecordedEvents"]

Read = Callable[[str], Iterable[Record]]


@dataclass(frozen=True, slots=True)
class RecordedEvents:
    """A sample and its history.

    Parameters
    ----------
    inferences
        The sampled inferences of the champion, by transaction_id.
    events
        Every transaction of their customers and terminals, every truth of their terminals; ``ingestion_time_ms`` is when
        Kafka got it.
    scored_ms
        When the champion scored each of these transactions, by transaction_id, epoch milliseconds; empty if not asked for.
    catalog
        The feature sets they were scored on, among others.
    """

    inferences: Mapping[str, Mapping[str, Any]]
    events: list[Transaction | Truth]
    scored_ms: Mapping[str, int]
    catalog: FeatureCatalog

    @classmethod
    def read(
        cls,
        read: Read,
        choose: Callable[[Iterator[Any]], Iterable[Any]],
        sets_of_rows: Callable[[], FeatureCatalog] = FeatureCatalog,
        *,
        scoring_times: bool = True,
    ) -> RecordedEvents:
        """Read what is needed from the topics.

        Parameters
        ----------
        read
            Yields a topic's records; ``transactions`` is read twice, first to learn whom the sample is about.
        choose
            Chooses the sample among the champion's inferences.
        sets_of_rows
            Reads the feature sets that rows define; called only where one of them was scored on.
        scoring_times
            Whether to fill ``scored_ms``, for which ``inferences`` is read once more.
        """
        chosen = list(choose(_champion_inferences(read)))
        inferences = {each["transaction_id"]: each for each in chosen}
        labels = {each["feature_set"] for each in chosen}
        catalog = FeatureCatalog() if labels <= CODE_LABELS else sets_of_rows()
        needed = (each for each in catalog.sets.values() if each.label in labels)
        fields = {name: name in each.strings for each in needed for name in each.required_fields}
        customers: set[str] = set()
        terminals: set[str] = set()
        for transaction in _transactions(read, fields):
            if transaction["transaction_id"] in inferences:
                customers.add(transaction["customer_id"])
                terminals.add(transaction["terminal_id"] or "")
        events: list[Transaction | Truth] = [
            each
            for each in _transactions(read, fields)
            if each["customer_id"] in customers or each["terminal_id"] in terminals
        ]
        events += (each for each in _truths(read) if each["terminal_id"] in terminals)
        known = {each["transaction_id"] for each in events if each["kind"] == "transaction"}
        scored_ms = {
            each["transaction_id"]: each["prediction_time_ms"]
            for each in (_champion_inferences(read) if scoring_times else ())
            if each["transaction_id"] in known
        }
        return cls(inferences, events, scored_ms, catalog)


def _champion_inferences(read: Read) -> Iterator[Any]:
    said = (orjson.loads(record.value or b"{}") for record in read("inferences"))
    return (each for each in said if each.get("role") == CHAMPION)


def _transactions(read: Read, fields: Mapping[str, bool]) -> Iterator[Transaction]:
    for record in read("transactions"):
        parsed = parse_transaction(_text(record), _position(record), optional=fields)
        if isinstance(parsed, dict):
            yield parsed


def _truths(read: Read) -> Iterator[Truth]:
    for record in read("truths"):
        parsed = parse_truth(_text(record), _position(record))
        if isinstance(parsed, dict):
            yield parsed


def _text(record: Record) -> str | None:
    return None if record.value is None else record.value.decode(errors="replace")


def _position(record: Record) -> Position:
    return Position(partition=record.partition, offset=record.offset, ingestion_time_ms=record.timestamp_ms)
