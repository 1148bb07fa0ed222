"""What the topics say came of a stream: scores by version, joined with the truths, and how long each took.

It asks nobody but the broker and shares no code with the job's own count, so that the two can be compared.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from connectors.kafka.record import Record
from udfs.domain.deployment import CHAMPION
from udfs.domain.event import Position
from udfs.domain.parsing import parse_truth

__all__ = ["Tally", "VersionTally", "tally_of"]

NO_LABEL = -1
Read = Callable[[str], Iterator[Record]]


@dataclass(slots=True)
class VersionTally:
    """What one version said as champion.

    Parameters
    ----------
    model, version
        Which.
    digests
        The artifacts its inferences name.
    first_seq
        ``deployment_seq`` of its first inference.
    first_append_ms, first_event_ms
        Append time and event time of its first inference by append time.
    scored, excluded
        Inferences with a score; those of them on transactions it was trained on.
    times_ms
        When each score was made.
    scores, labels
        Of those that are not excluded; the label is -1 without a truth.
    """

    model: str
    version: str
    digests: set[str] = field(default_factory=set)
    first_seq: int = 0
    first_append_ms: int = 0
    first_event_ms: int = 0
    scored: int = 0
    excluded: int = 0
    times_ms: array[int] = field(default_factory=lambda: array("q"))
    scores: array[float] = field(default_factory=lambda: array("d"))
    labels: array[int] = field(default_factory=lambda: array("b"))

    @property
    def positives(self) -> int:
        """Frauds among the counted."""
        return self.labels.count(1)

    @property
    def negatives(self) -> int:
        """Genuine transactions among the counted."""
        return self.labels.count(0)

    def roc_auc(self) -> float | None:
        """Return scikit-learn's ROC AUC of the counted, None where a class is missing."""
        if not (self.positives and self.negatives):
            return None
        from sklearn.metrics import roc_auc_score  # slow to import

        labels, scores = np.array(self.labels), np.array(self.scores)
        known = labels != NO_LABEL
        return float(roc_auc_score(labels[known], scores[known]))


@dataclass(slots=True)
class Tally:
    """A whole stream.

    Parameters
    ----------
    versions
        Champion versions by name, in the order of their first inference.
    appended_ms, ingested_ms
        For each champion inference its append time minus that of its transaction; and the transaction's append time.
    first_transaction_ms, last_append_ms
        Append time of the first transaction that was answered, and of the last inference.
    """

    versions: dict[str, VersionTally] = field(default_factory=dict)
    appended_ms: array[int] = field(default_factory=lambda: array("q"))
    ingested_ms: array[int] = field(default_factory=lambda: array("q"))
    first_transaction_ms: int = 2**62
    last_append_ms: int = 0

    @property
    def events_per_s(self) -> float:
        """Champion inferences a second, from the first transaction's append to the last inference's."""
        span_ms = self.last_append_ms - self.first_transaction_ms
        return len(self.appended_ms) * 1_000 / span_ms if span_ms > 0 else 0.0

    def scored_after(self, time_ms: int) -> dict[str, int]:
        """Return how many scores were made after a time, by version; versions without any are left out."""
        counts = {name: int((np.array(each.times_ms) > time_ms).sum()) for name, each in self.versions.items()}
        return {name: count for name, count in counts.items() if count}


def tally_of(read: Read) -> Tally:
    """Read the topics ``truths`` and ``inferences`` and count.

    Parameters
    ----------
    read
        Called with a topic; yields its committed records.
    """
    truths = _truths(read)
    tally = Tally()
    versions: dict[str, VersionTally] = {}
    for record in read("inferences"):
        inference = orjson.loads(record.value or b"{}")
        if inference["role"] != CHAMPION:
            continue
        tally.appended_ms.append(record.timestamp_ms - inference["ingestion_time_ms"])
        tally.ingested_ms.append(inference["ingestion_time_ms"])
        tally.first_transaction_ms = min(tally.first_transaction_ms, inference["ingestion_time_ms"])
        tally.last_append_ms = max(tally.last_append_ms, record.timestamp_ms)
        if inference["score"] is not None:
            name = str(inference["version"])
            version = versions.setdefault(name, VersionTally(inference["model"], name))
            _count(version, inference, record.timestamp_ms, truths)
    tally.versions = dict(sorted(versions.items(), key=lambda item: item[1].first_append_ms))
    return tally


def _truths(read: Read) -> dict[str, int]:
    newest: dict[str, tuple[int, int]] = {}
    for record in read("truths"):
        position = Position(partition=record.partition, offset=record.offset, ingestion_time_ms=record.timestamp_ms)
        truth = parse_truth(None if record.value is None else record.value.decode(errors="replace"), position)
        if not isinstance(truth, dict):  # a closing record, or one that the job refuses
            continue
        name, revision = truth["transaction_id"], truth["revision"]
        if name not in newest or revision > newest[name][0]:
            newest[name] = (revision, truth["label"])
    return {name: label for name, (_, label) in newest.items()}


def _count(version: VersionTally, inference: dict[str, Any], append_ms: int, truths: dict[str, int]) -> None:
    version.digests.add(inference["digest"])
    if not version.scored or append_ms < version.first_append_ms:
        version.first_append_ms, version.first_event_ms = append_ms, inference["event_time_ms"]
        version.first_seq = inference["deployment_seq"]
    version.scored += 1
    version.times_ms.append(inference["prediction_time_ms"])
    if inference["excluded"]:
        version.excluded += 1
        return
    version.scores.append(inference["score"])
    version.labels.append(truths.get(inference["transaction_id"], NO_LABEL))
