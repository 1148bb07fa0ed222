"""Trains a River model on labelled events in event order, the way the stream would have: predict first, learn later.

Pure: examples in, a model and its figures out; no file, no clock, no registry. An unsupervised model learns from each
transaction right after scoring it; a supervised one learns a label when it is known in event time, never before. After
the last transaction event time goes on until all labels are known.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from model_store.river_score import river_score
from udfs.domain.errors import SettingsError

__all__ = ["Example", "TrainedModel", "train_model"]

PROBES_KEPT = 32
_PROGRESS_EVERY = 1_000


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
    """

    event_time_ms: int
    vector: dict[str, float]
    label: int | None
    truth_time_ms: int | None


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A model and how it did on the way, always scoring before learning.

    Parameters
    ----------
    model
        The River pipeline.
    examples, frauds
        How many transactions it saw, and how many of them are known as fraud.
    trained_until_ms
        Event time of the last one; none up to it may count for the model.
    roc_auc, average_precision
        Of the scores given before learning, by scikit-learn; None where a class is missing.
    threshold
        The score that a share of ``alert_rate`` of the second half of the transactions reached (in the first half the
        model was still cold); None where their scores do not differ.
    probes
        The last vectors, to record scores of with the model.
    """

    model: Any
    examples: int
    frauds: int
    trained_until_ms: int
    roc_auc: float | None
    average_precision: float | None
    threshold: float | None
    probes: Sequence[dict[str, float]]


def train_model(
    model: Any,  # noqa: ANN401 - River's pipelines are untyped
    examples: Iterable[Example],
    features: Sequence[str],
    *,
    supervised: bool,
    alert_rate: float = 0.001,
    progress: Callable[[int], None] | None = None,
) -> TrainedModel:
    """Train a model in place on examples in event order.

    Parameters
    ----------
    model
        A River pipeline, new or trained before.
    examples
        In event order.
    features
        Names in the order of the feature set: River's sums depend on it.
    supervised
        Whether it learns from labels.
    alert_rate
        Share of transactions that the suggested threshold lets raise an alert.
    progress
        Called with the number of examples seen, now and then.

    Raises
    ------
    SettingsError
        When there is no example, none with a label for a supervised model, or the alert rate is not in (0, 1).
    """
    if not 0 < alert_rate < 1:
        msg = f"The alert rate must lie between 0 and 1, got {alert_rate}; 0.001 lets one in a thousand raise an alert."
        raise SettingsError(msg)
    course = _Course(model, tuple(features), supervised)
    for example in examples:
        course.take(example)
        if progress is not None and len(course.scores) % _PROGRESS_EVERY == 0:
            progress(len(course.scores))
    course.let_time_pass(None)
    if not course.scores:
        msg = "There is no transaction to train on; choose more rows."
        raise SettingsError(msg)
    if supervised and not course.learned:
        msg = "A supervised model needs labels and the data has none; train half-space-trees or give data with truth."
        raise SettingsError(msg)
    if progress is not None:
        progress(len(course.scores))
    return course.result(alert_rate)


class _Course:
    """One pass over the examples: what has been scored, and which labels are not known yet."""

    def __init__(self, model: Any, features: tuple[str, ...], supervised: bool) -> None:  # noqa: ANN401
        self.model, self.features, self.supervised = model, features, supervised
        self.scores: list[float] = []
        self.labels: list[int] = []
        self.learned = 0
        self._last_ms = 0
        self._recent: deque[dict[str, float]] = deque(maxlen=PROBES_KEPT)
        self._waiting: list[tuple[int, int, dict[str, float], bool]] = []

    def take(self, example: Example) -> None:
        self.let_time_pass(example.event_time_ms)
        # In the order of the feature set, so that the model's own dictionaries get that order, too.
        vector = {name: example.vector[name] for name in self.features}
        self.scores.append(river_score(self.model, vector, self.features))
        self.labels.append(-1 if example.label is None else example.label)
        self._last_ms = max(self._last_ms, example.event_time_ms)
        self._recent.append(vector)
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

    def result(self, alert_rate: float) -> TrainedModel:
        scores, labels = np.array(self.scores), np.array(self.labels)
        known = labels >= 0
        roc_auc, precision = _figures(scores[known], labels[known])
        warm = scores[len(scores) // 2 :]
        threshold = float(np.quantile(warm, 1 - alert_rate, method="higher"))
        return TrainedModel(
            model=self.model,
            examples=len(scores),
            frauds=int((labels == 1).sum()),
            trained_until_ms=self._last_ms,
            roc_auc=roc_auc,
            average_precision=precision,
            threshold=threshold if warm.min() < threshold else None,
            probes=list(self._recent),
        )


def _figures(scores: npt.NDArray[Any], labels: npt.NDArray[Any]) -> tuple[float | None, float | None]:
    if len(np.unique(labels)) < 2:
        return None, None
    from sklearn.metrics import average_precision_score, roc_auc_score  # slow to import; only training pays

    return float(roc_auc_score(labels, scores)), float(average_precision_score(labels, scores))
