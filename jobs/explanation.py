"""Everything known about one transaction, gathered from the topics and the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from connectors.kafka.record import Record
from jobs.verification import verify_scores
from model_store.artifact import Artifact
from model_store.model_version import ModelVersion
from udfs.domain.errors import RegistryError, SettingsError
from udfs.domain.event import Position
from udfs.domain.parsing import parse_truth

__all__ = ["Explanation", "Judgement", "explain_transaction"]

Read = Callable[[str], Iterator[Record]]
TOPICS = ("transactions", "truths", "inferences", "alerts", "dead_letters", "model_quality")
MOST_PAST = 10


class Versions(Protocol):
    """What is asked of the registry."""

    def version(self, model: str, version: str) -> ModelVersion:
        """Return one version."""
        ...


@dataclass(frozen=True, slots=True)
class Judgement:
    """One version's score, and the same score made again now.

    Parameters
    ----------
    inference
        The record of the topic.
    trained
        The header's ``training``, ``parent`` and ``trained_until_ms``; empty where no version scored.
    commit
        Of the code that trained it; empty where the registry does not say.
    again
        ``equal``, ``differs: ...`` or why it could not be scored again.
    roc_auc
        The newest whole-life row of ``model_quality`` of this version and role, by event time; None without one.
    """

    inference: dict[str, Any]
    trained: dict[str, Any]
    commit: str
    again: str
    roc_auc: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What there is.

    Parameters
    ----------
    transaction_id
        Which.
    event
        The message as it came, with ``partition`` and ``offset``; None where it is gone or never came.
    judgements
        The champion's first.
    alerts, truths
        The records, truths by revision.
    dead
        Dead letters of this transaction's position: repeats, or what was wrong with it.
    past
        The newest earlier events of the same customer, the newest first, and those of the terminal.
    """

    transaction_id: str
    event: dict[str, Any] | None
    judgements: tuple[Judgement, ...] = ()
    alerts: tuple[dict[str, Any], ...] = ()
    truths: tuple[dict[str, Any], ...] = ()
    dead: tuple[dict[str, Any], ...] = ()
    past: tuple[dict[str, Any], ...] = field(default=())

    @property
    def equal(self) -> bool:
        """Whether no score came out differently."""
        return not any(each.again.startswith("differs") for each in self.judgements)


def explain_transaction(
    transaction_id: str, read: Read, registry: Versions, load_artifact: Callable[[str], bytes]
) -> Explanation:
    """Gather what is known; reads the topics once each.

    Parameters
    ----------
    transaction_id
        Which.
    read
        Yields the committed records of a topic.
    registry
        MLflow, for the commit; a version it does not know is explained without.
    load_artifact
        Returns an artifact's bytes by digest.

    Raises
    ------
    SettingsError
        If no topic holds the transaction.
    ConnectionLostError
        If the broker or the registry does not answer.
    """
    needle = transaction_id.encode()
    transactions = [each for each in _messages(read, "transactions") if "transaction_id" in each]
    mine = [each for each in transactions if str(each["transaction_id"]) == transaction_id]
    inferences = [each for each in _messages(read, "inferences", needle) if each["transaction_id"] == transaction_id]
    if not mine and not inferences:
        msg = f"No topic holds the transaction {transaction_id!r}; is it the whole identifier? See weir status."
        raise SettingsError(msg)
    places = {(each["partition"], each["offset"]) for each in mine}
    dead = [
        each
        for each in _messages(read, "dead_letters")
        if each.get("topic") == "transactions" and (each["partition"], each["offset"]) in places
    ]
    quality = list(_messages(read, "model_quality"))
    champion_first = sorted(inferences, key=lambda each: (each["role"] != "champion", each["role"]))
    return Explanation(
        transaction_id=transaction_id,
        event=mine[0] if mine else None,
        judgements=tuple(_judgement(each, quality, registry, load_artifact) for each in champion_first),
        alerts=tuple(each for each in _messages(read, "alerts", needle) if each["transaction_id"] == transaction_id),
        truths=tuple(_truths(read, transaction_id)),
        dead=tuple(dead),
        past=tuple(_past(mine[0], transactions)) if mine else (),
    )


def _messages(read: Read, topic: str, needle: bytes = b"") -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a topic with their positions; with a needle only of records that hold it."""
    for record in read(topic):
        if record.value is None or needle not in record.value:
            continue
        try:
            message = orjson.loads(record.value)
        except orjson.JSONDecodeError:
            continue  # a dead letter's business
        if isinstance(message, dict):
            own = {} if topic == "dead_letters" else {"partition": record.partition, "offset": record.offset}
            yield {**message, **own}


def _truths(read: Read, transaction_id: str) -> list[dict[str, Any]]:
    needle, found = transaction_id.encode(), []
    for record in read("truths"):
        if record.value is None or needle not in record.value:
            continue
        position = Position(partition=record.partition, offset=record.offset, ingestion_time_ms=record.timestamp_ms)
        truth = parse_truth(record.value.decode(errors="replace"), position)
        if isinstance(truth, dict) and truth["transaction_id"] == transaction_id:
            found.append(dict(truth))
    return sorted(found, key=lambda each: (each["revision"], each["label"]))


def _past(event: dict[str, Any], transactions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the newest earlier events of the same customer or terminal, tagged with which."""
    time_ms = event.get("event_time_ms", 0)
    earlier: dict[str, dict[str, Any]] = {}
    for each in transactions:
        its_ms = each.get("event_time_ms")
        if isinstance(its_ms, int) and its_ms <= time_ms and each["transaction_id"] != event["transaction_id"]:
            shared = [
                name
                for name in ("customer_id", "terminal_id")
                if each.get(name) is not None and each.get(name) == event.get(name)
            ]
            if shared:
                earlier.setdefault(str(each["transaction_id"]), {**each, "shared": shared})
    return sorted(earlier.values(), key=lambda each: -each["event_time_ms"])[:MOST_PAST]


def _judgement(
    inference: dict[str, Any],
    quality: list[dict[str, Any]],
    registry: Versions,
    load_artifact: Callable[[str], bytes],
) -> Judgement:
    if inference["digest"] is None:
        return Judgement(inference, {}, "", "nothing scored it", None)
    trained = {}
    try:
        header = Artifact.decode(load_artifact(inference["digest"])).header
        trained = {name: header.get(name) for name in ("training", "parent", "trained_until_ms", "kind")}
        again = _again(inference, load_artifact)
    except RegistryError as error:
        again = f"cannot be scored again: {error}"
    try:
        commit = registry.version(inference["model"], inference["version"]).commit
    except RegistryError:
        commit = ""  # deployed by a row: the bytes are known all the same
    return Judgement(inference, trained, commit, again, _quality(inference, quality))


def _again(inference: dict[str, Any], load_artifact: Callable[[str], bytes]) -> str:
    if inference["score"] is None:
        return f"has no score: {inference['reason']}"
    result = verify_scores([inference], load_artifact)
    if result.mismatched:
        found = result.mismatches[0]
        return f"differs: recorded {found.recorded}, again {found.again}"
    return "equal"


def _quality(inference: dict[str, Any], quality: list[dict[str, Any]]) -> dict[str, Any] | None:
    same = ("model", "version", "role")
    rows = [
        row
        for row in quality
        if row["window_start_ms"] == 0
        and row["series"] == "event_time"
        and all(row[name] == inference[name] for name in same)
    ]
    return max(rows, key=lambda row: int(row["revision"]), default=None)
