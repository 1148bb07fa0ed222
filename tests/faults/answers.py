"""What a run of the job said, small enough to compare two runs of a million transactions, and where they differ."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson

from connectors.kafka.reader import read_topic
from tests.e2e.scoring import Scoring
from tests.faults.load import kind_of

__all__ = ["Answers", "Difference"]

COMPARED = (
    *(
        "event_time_ms",
        "model",
        "version",
        "digest",
        "score",
        "reason",
        "feature_set",
        "features",
        "warming_up",
        "late",
    ),
    *("source_partition", "source_offset"),
)
"""Of an inference; the rest is when, and how far event time had come."""
NOT_COMPARED = ("revision", "time_ms", "watermark_ms")
"""Of a quality row: how often a window was told of on the way is no result."""


@dataclass
class Difference:
    """How two runs differ in a set of transactions."""

    compared: int = 0
    missing: int = 0
    doubled: int = 0
    differing: int = 0

    @property
    def none(self) -> bool:
        """Whether they do not."""
        return not (self.missing or self.doubled or self.differing)


@dataclass
class Answers:
    """The champion's inferences and features, the final quality windows, and the alerts.

    Attributes
    ----------
    inferences, features
        By transaction: a hash of what is compared.
    times
        By transaction: the broker's append time, epoch milliseconds.
    kinds
        By transaction: see :func:`tests.faults.load.kind_of`.
    doubled
        Transactions with more than one inference.
    quality, alerts
        Final rows by window; scores by alert_id.
    alert_records
        How many records the topic has: more than alerts, where one was sent again.
    """

    inferences: dict[str, bytes] = field(default_factory=dict)
    features: dict[str, bytes] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    doubled: Counter[str] = field(default_factory=Counter)
    quality: dict[str, bytes] = field(default_factory=dict)
    alerts: dict[str, tuple[float, str]] = field(default_factory=dict)
    alert_records: int = 0

    @classmethod
    def read(cls, scoring: Scoring) -> Answers:
        """Read the committed records of a run that has come to its end."""
        answers = cls()
        for each in _messages(scoring, "inferences"):
            if each["role"] == "champion":
                name = each["transaction_id"]
                if name in answers.inferences:
                    answers.doubled[name] += 1
                answers.inferences[name] = _hash({key: each.get(key) for key in COMPARED})
                answers.times[name] = each["ingestion_time_ms"]
        for each in _messages(scoring, "transactions"):
            if "transaction_id" in each:
                answers.kinds[each["transaction_id"]] = kind_of(each["customer_id"])
        for each in _messages(scoring, "features"):
            answers.features[each["transaction_id"]] = _hash(each["values"])
        for each in _messages(scoring, "model_quality"):
            if each["role"] == "champion" and each["final"]:
                key = f"{each['version']}/{each['series']}/{each['window_start_ms']}/{each['window_end_ms']}"
                answers.quality[key] = _hash({name: x for name, x in each.items() if name not in NOT_COMPARED})
        for each in _messages(scoring, "alerts"):
            answers.alerts[each["alert_id"]] = (each["score"], each["version"])
            answers.alert_records += 1
        return answers

    def differ(self, undisturbed: Answers, names: set[str]) -> Difference:
        """Compare the answers to some transactions with those of a run that nobody disturbed."""
        difference = Difference(compared=len(names))
        for name in names:
            difference.missing += name not in self.inferences
            difference.doubled += self.doubled[name]
            same = self.inferences.get(name) == undisturbed.inferences.get(name)
            difference.differing += not (same and self.features.get(name) == undisturbed.features.get(name))
        return difference


def count_differing(ours: dict[str, Any], theirs: dict[str, Any]) -> int:
    """Return how many keys are on one side only or have another value there."""
    return sum(ours.get(key) != theirs.get(key) for key in ours.keys() | theirs.keys())


def _messages(scoring: Scoring, topic: str) -> Any:
    return (orjson.loads(record.value or b"null") for record in read_topic(scoring.bootstrap, topic))


def _hash(value: Any) -> bytes:
    return hashlib.blake2b(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), digest_size=12).digest()
