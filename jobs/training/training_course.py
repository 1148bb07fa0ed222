"""The way through examples in event order: each is scored first, and learned from when that is allowed.

An unsupervised model learns from a transaction right after its score; a supervised one learns a label when it is known in
event time, never before. Training and the prequential backtest both go this way.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from model_store.river_score import river_score

__all__ = ["Example", "TrainingCourse"]

PROBES_KEPT = 32


@dataclass(frozen=True, slots=True)
class Example:
    """A transaction to learn from.

    Parameters
    ----------
    event_time_ms
        When it happened.
    vector
        Its features by name.
    label
        1 for fraud, 0 for genuine, None where no truth ever comes.
    truth_time_ms
        When the label is known; None without one.
    transaction_id
        Which transaction it is; empty where nobody asks.
    """

    event_time_ms: int
    vector: dict[str, float]
    label: int | None
    truth_time_ms: int | None
    transaction_id: str = ""


class TrainingCourse:
    """One pass over the examples: what has been scored, and which labels are not known yet.

    Parameters
    ----------
    model
        A River pipeline; it learns.
    features
        Names in the order of the feature set.
    supervised
        Whether it learns from labels, when they are known, or from every transaction right after its score.
    """

    def __init__(self, model: Any, features: Sequence[str], *, supervised: bool) -> None:  # noqa: ANN401
        self.model, self.features, self.supervised = model, tuple(features), supervised
        self.scores: list[float] = []
        self.labels: list[int] = []
        self.learned = 0
        self.last_ms = 0
        self.recent: deque[dict[str, float]] = deque(maxlen=PROBES_KEPT)
        self._waiting: list[tuple[int, int, dict[str, float], bool]] = []

    def take(self, example: Example) -> None:
        """Score a transaction, the next in event order, and learn what may be learned by then."""
        self.let_time_pass(example.event_time_ms)
        # In the order of the feature set, so that the model's own dictionaries get that order, too.
        vector = {name: example.vector[name] for name in self.features}
        self.scores.append(river_score(self.model, vector, self.features))
        self.labels.append(-1 if example.label is None else example.label)
        self.last_ms = max(self.last_ms, example.event_time_ms)
        self.recent.append(vector)
        if not self.supervised:
            self.model.learn_one(vector)
            self.learned += 1
        elif example.label is not None and example.truth_time_ms is not None:
            # The count keeps labels known at the same time in the order of their transactions.
            entry = (example.truth_time_ms, len(self.scores), vector, bool(example.label))
            heapq.heappush(self._waiting, entry)

    def let_time_pass(self, now_ms: int | None) -> None:
        """Learn the labels known at ``now_ms``; a truth counts from its time on. None: until all are known."""
        while self._waiting and (now_ms is None or self._waiting[0][0] <= now_ms):
            _, _, vector, label = heapq.heappop(self._waiting)
            self.model.learn_one(vector, label)
            self.learned += 1
