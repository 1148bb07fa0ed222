"""Gathers everything known about one transaction from the topics and the registry."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from connectors.kafka.record import Record
from connectors.kafka.topic_search import TopicSearch
from jobs.explaining.earlier_events import earlier_events
from jobs.explaining.explanation import Explanation
from jobs.explaining.json_object import json_object
from jobs.explaining.judge_inferences import Versions, judge_inferences
from jobs.explaining.recorded_inferences import MOST_LOOKED_AT, recorded_inferences
from udfs.domain.errors import SettingsError
from udfs.domain.event import Position
from udfs.domain.parsing import parse_truth

__all__ = ["explain_transaction"]

MOST_TRUTHS_BEFORE = 10_000
"""Records of a partition before the transaction among which a truth that came first is looked for."""


def explain_transaction(
    transaction_id: str, topics: TopicSearch, registry: Versions, load_artifact: Callable[[str], bytes]
) -> Explanation:
    """Gather what is known; how long it takes depends on what has come since, not on how much the topics hold.

    Parameters
    ----------
    transaction_id
        Which.
    topics
        Finds committed records.
    registry
        MLflow, for the commit; a version it does not know is explained without.
    load_artifact
        Returns an artifact's bytes by digest.

    Raises
    ------
    SettingsError
        If no topic holds the transaction where it was looked for.
    ConnectionLostError
        If the broker or the registry does not answer.
    """
    inferences = recorded_inferences(topics, transaction_id)
    record = _event(topics, transaction_id, inferences)
    if record is None and not inferences:
        msg = (
            f"No topic holds the transaction {transaction_id!r} among the newest {MOST_LOOKED_AT:,} records of a "
            f"partition; is it the whole identifier? See weir status."
        )
        raise SettingsError(msg)
    event = None if record is None else json_object(record)
    came_ms = inferences[0]["ingestion_time_ms"] if record is None else record.timestamp_ms
    return Explanation(
        transaction_id=transaction_id,
        event=event,
        judgements=tuple(judge_inferences(inferences, topics, registry, load_artifact)),
        alerts=tuple(_alerts(topics, transaction_id, came_ms)),
        truths=tuple(_truths(topics, transaction_id, came_ms)),
        dead=tuple(_dead_letters(topics, transaction_id, record, came_ms)),
        past=() if event is None else tuple(earlier_events(topics, event, came_ms)),
    )


def _event(topics: TopicSearch, transaction_id: str, inferences: list[dict[str, Any]]) -> Record | None:
    """Return the transaction as it came: where its inference says, or else, without one, wherever it is."""
    if inferences:
        return topics.at("transactions", inferences[0]["source_partition"], inferences[0]["source_offset"])
    needle = transaction_id.encode()
    for step in topics.backwards("transactions", topics.ends("transactions"), MOST_LOOKED_AT):
        for record in step:
            if needle in (record.value or b"") and str(json_object(record).get("transaction_id")) == transaction_id:
                return record
    return None


def _alerts(topics: TopicSearch, transaction_id: str, came_ms: int) -> list[dict[str, Any]]:
    partition, key = topics.partition_of("alerts", transaction_id), transaction_id.encode()
    ends = {partition: topics.ends("alerts")[partition]}
    records = topics.between("alerts", topics.offsets_at("alerts", came_ms), ends)
    # Written at least once: one that came again after a failure is the same alert.
    return list(
        {alert["alert_id"]: alert for alert in (json_object(each) for each in records if each.key == key)}.values()
    )


def _truths(topics: TopicSearch, transaction_id: str, came_ms: int) -> list[dict[str, Any]]:
    """Return the truths by revision.

    They are keyed by transaction; where the key's own partition has none, their producer may have chosen another.
    """
    ends, own = topics.ends("truths"), topics.partition_of("truths", transaction_id)
    begins = {each: max(0, at - MOST_TRUTHS_BEFORE) for each, at in topics.offsets_at("truths", came_ms).items()}
    needle, found = transaction_id.encode(), []
    for part in ({own: ends[own]}, {each: end for each, end in ends.items() if each != own}):
        for record in topics.between("truths", begins, part):
            if record.value is None or needle not in record.value:
                continue
            position = Position(partition=record.partition, offset=record.offset, ingestion_time_ms=record.timestamp_ms)
            truth = parse_truth(record.value.decode(errors="replace"), position)
            if isinstance(truth, dict) and truth["transaction_id"] == transaction_id:
                found.append(dict(truth))
        if found:
            break
    return sorted(found, key=lambda each: (each["revision"], each["label"]))


def _dead_letters(
    topics: TopicSearch, transaction_id: str, record: Record | None, came_ms: int
) -> Iterator[dict[str, Any]]:
    """Yield those of the transaction's own record and of its repeats: the same bytes, or another with the same id."""
    place = None if record is None else (record.partition, record.offset)
    sha256 = None if record is None else hashlib.sha256(record.value or b"").hexdigest()
    begins, seen = topics.offsets_at("dead_letters", came_ms), set()
    for each in topics.between("dead_letters", begins, topics.ends("dead_letters")):
        letter = orjson.loads(each.value or b"{}")
        at = letter.get("partition"), letter.get("offset")
        if letter.get("topic") != "transactions" or at in seen:
            continue
        if at == place or letter.get("payload_sha256") == sha256 or _names(letter.get("payload", ""), transaction_id):
            seen.add(at)
            yield letter


def _names(payload: str, transaction_id: str) -> bool:
    """Tell whether a payload, which may be cut or broken, has this transaction_id.

    Examples
    --------
    >>> _names('{"transaction_id": "t1", "am', "t1"), _names('{"transaction_id":"t11"}', "t1")
    (True, False)
    """
    wanted = f'"transaction_id":{orjson.dumps(transaction_id).decode()}'
    return transaction_id in payload and wanted in payload.replace('": ', '":')
