"""Trains a River model on labelled events in event order, the way the stream would have: predict first, learn later.

Pure: examples in, a model and its figures out; no file, no clock, no registry. An unsupervised model learns from each
transaction right after scoring it; a supervised one learns a label when it is known in event time, never before. After
the last transaction event time goes on until all labels are known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jobs.ranking_figures import ranking_figures
from jobs.training.training_course import Example, TrainingCourse
from udfs.domain.errors import SettingsError

__all__ = ["TrainedModel", "train_model"]

_PROGRESS_EVERY = 1_000


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
    course = TrainingCourse(model, features, supervised=supervised)
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
    return _result(course, alert_rate)


def _result(course: TrainingCourse, alert_rate: float) -> TrainedModel:
    scores, labels = np.array(course.scores), np.array(course.labels)
    known = labels >= 0
    roc_auc, precision = ranking_figures(scores[known], labels[known])
    warm = scores[len(scores) // 2 :]
    threshold = float(np.quantile(warm, 1 - alert_rate, method="higher"))
    return TrainedModel(
        model=course.model,
        examples=len(scores),
        frauds=int((labels == 1).sum()),
        trained_until_ms=course.last_ms,
        roc_auc=roc_auc,
        average_precision=precision,
        threshold=threshold if warm.min() < threshold else None,
        probes=list(course.recent),
    )
