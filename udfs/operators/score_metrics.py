"""What the score stage tells Flink's metrics: how late predictions are, and per version how many, late or null."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from udfs.domain.deployment import CHAMPION
from udfs.operators.labelled_counters import LabelledCounters

__all__ = ["ScoreMetrics"]

LABELS = ("model", "version", "role")
NONE = "none"
SAMPLES = 1_024
"""Transactions a histogram's quantiles are over, the newest of each subtask."""


class ScoreMetrics:
    """Histograms and counters of one subtask of the score stage.

    ``prediction_latency_ms`` is prediction - event, ``platform_backlog_ms`` is prediction - ingestion, both once per
    transaction. ``inferences``, ``late`` and ``null_scores`` are counted per model, version and role. Only Java objects are
    registered, because a reporter's thread must not wait for the interpreter.

    Parameters
    ----------
    group
        The operator's metric group.
    """

    def __init__(self, group: Any) -> None:  # noqa: ANN401
        self._latency = _histogram(group, "prediction_latency_ms")
        self._backlog = _histogram(group, "platform_backlog_ms")
        self._inferences = LabelledCounters(group, "inferences", LABELS)
        self._late = LabelledCounters(group, "late", LABELS)
        self._null_scores = LabelledCounters(group, "null_scores", LABELS)

    def count(self, inferences: Iterable[Mapping[str, Any]]) -> None:
        """Take one batch of inferences."""
        made: Counter[tuple[str, ...]] = Counter()
        late: Counter[tuple[str, ...]] = Counter()
        null: Counter[tuple[str, ...]] = Counter()
        for each in inferences:
            version: tuple[str, ...] = (each["model"] or NONE, each["version"] or NONE, each["role"])
            made[version] += 1
            late[version] += bool(each["late"])
            null[version] += each["score"] is None
            if each["role"] == CHAMPION and self._latency is not None:
                self._latency.update(each["prediction_time_ms"] - each["event_time_ms"])
                self._backlog.update(each["prediction_time_ms"] - each["ingestion_time_ms"])
        for counters, counts in ((self._inferences, made), (self._late, late), (self._null_scores, null)):
            for version, count in counts.items():
                counters.add(version, count)


def _histogram(group: Any, name: str) -> Any:  # noqa: ANN401
    # PyFlink has no histogram; its thread mode holds Flink's own metric group, which has.
    java_group = getattr(group, "_metrics", None)
    if java_group is None:
        return None
    from pemja import findClass

    return java_group.histogram(
        name, findClass("org.apache.flink.runtime.metrics.DescriptiveStatisticsHistogram")(SAMPLES)
    )
