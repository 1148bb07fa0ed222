"""What the score stage tells Flink's metrics: how late predictions are, and per version how many, late or null."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from udfs.operators.java_histogram import java_histogram
from udfs.operators.labelled_counters import LabelledCounters

__all__ = ["ScoreMetrics"]

LABELS = ("model", "version", "role")
NONE = "none"


class ScoreMetrics:
    """Histograms and counters of one subtask of the score stage.

    ``prediction_latency_ms`` is prediction - event, ``platform_backlog_ms`` is prediction - ingestion, both of the first
    transaction of each batch: all of a batch are predicted at one time. ``inferences``, ``late`` and ``null_scores`` are
    counted per model, version and role. Only Java objects are registered, because a reporter's thread must not wait for
    the interpreter.

    Parameters
    ----------
    group
        The operator's metric group.
    """

    def __init__(self, group: Any) -> None:  # noqa: ANN401
        self._latency = java_histogram(group, "prediction_latency_ms")
        self._backlog = java_histogram(group, "platform_backlog_ms")
        self._inferences = LabelledCounters(group, "inferences", LABELS)
        self._late = LabelledCounters(group, "late", LABELS)
        self._null_scores = LabelledCounters(group, "null_scores", LABELS)

    def count(self, inferences: Sequence[Mapping[str, Any]]) -> None:
        """Take one batch of inferences."""
        counts = Counter(
            (each["model"] or NONE, each["version"] or NONE, each["role"], each["late"], each["score"] is None)
            for each in inferences
        )
        for (model, version, role, late, null), count in counts.items():
            labels = (model, version, role)
            self._inferences.add(labels, count)
            self._late.add(labels, count if late else 0)
            self._null_scores.add(labels, count if null else 0)
        if inferences and self._latency is not None:
            first = inferences[0]
            self._latency.update(first["prediction_time_ms"] - first["event_time_ms"])
            self._backlog.update(first["prediction_time_ms"] - first["ingestion_time_ms"])
