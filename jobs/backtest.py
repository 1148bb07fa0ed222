"""A version on recorded events, day by day: what it would have scored, judged by the truths that came."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

import numpy as np
import numpy.typing as npt

from jobs.comparison import scores_of
from jobs.ranking_figures import ranking_figures
from jobs.training.training_course import Example, TrainingCourse
from model_store.compiled_scorer import load_scorer
from model_store.rebuild import rebuild
from udfs.domain.auc_interval import auc_interval

__all__ = ["Backtest", "DayFigures", "run_backtest"]

BATCH = 1_000
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class DayFigures:
    """How it did on one day of event time (UTC), or on all.

    Parameters
    ----------
    day
        ``2018-07-25``; ``all`` for the whole.
    scored, labelled, positives
        Transactions it was asked about, those with a truth, and the frauds among them.
    roc_auc, ci_low, ci_high, average_precision
        None where a class is missing.
    alerts, caught
        Scores at or above the threshold, and how many of those were fraud; None without a threshold.
    """

    day: str
    scored: int
    labelled: int
    positives: int
    roc_auc: float | None
    ci_low: float | None
    ci_high: float | None
    average_precision: float | None
    alerts: int | None
    caught: int | None


@dataclass(frozen=True, slots=True)
class Backtest:
    """What came of it.

    Parameters
    ----------
    digest
        The artifact that scored, or that learning went on from.
    learning
        Whether it learned on from each transaction after scoring it.
    excluded
        Transactions left out because the version was trained up to them.
    days
        By day; days without a transaction are not there.
    total
        Over all days.
    """

    digest: str
    learning: bool
    excluded: int
    days: tuple[DayFigures, ...]
    total: DayFigures


def run_backtest(
    artifact: bytes,
    examples: Iterable[Example],
    *,
    since_ms: int | None = None,
    until_ms: int | None = None,
    threshold: float | None = None,
    learn: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Backtest:
    """Replay examples through a version; each is scored before anything could be learned from it.

    Parameters
    ----------
    artifact
        The version's bytes.
    examples
        In event order.
    since_ms, until_ms
        Event times that count, [since, until); what lies before is still learned from with ``learn``.
    threshold
        Score from which on an alert would have been raised.
    learn
        Go on learning as in training: from each transaction after its score, or from a label when it is known. By default
        the version stays as it is, as in the job.
    progress
        Called with the number of transactions replayed.

    Raises
    ------
    ArtifactError
        If the artifact does not load.
    """
    scorer = load_scorer(artifact)
    course = None
    if learn:
        course = TrainingCourse(rebuild(artifact), scorer.features, supervised=scorer.kind != "half_space_trees")
    trained_until_ms = scorer.header["trained_until_ms"]
    times: list[int] = []
    scores: list[float] = []
    labels: list[int] = []
    excluded = seen = 0
    rest = iter(examples)
    while batch := list(islice(rest, BATCH)):
        new = [each for each in batch if each.event_time_ms > trained_until_ms]
        excluded += len(batch) - len(new)
        if course is None:
            scores += scores_of(scorer, new).tolist() if new else []
        else:
            for each in new:
                course.take(each)
            scores = course.scores
        times += [each.event_time_ms for each in new]
        labels += [-1 if each.label is None else each.label for each in new]
        seen += len(batch)
        if progress is not None:
            progress(seen)
    when, made = np.array(times, dtype=np.int64), np.array(scores, dtype=np.float64)
    known = np.array(labels, dtype=np.int64)
    last_ms = np.iinfo(np.int64).max if until_ms is None else until_ms
    counted = (when >= (since_ms or 0)) & (when < last_ms)
    days = _by_day(when[counted], made[counted], known[counted], threshold)
    return Backtest(scorer.digest, learn, excluded, days, _figures("all", made[counted], known[counted], threshold))


def _by_day(
    times: npt.NDArray[np.int64],
    scores: npt.NDArray[np.float64],
    labels: npt.NDArray[np.int64],
    threshold: float | None,
) -> tuple[DayFigures, ...]:
    numbers = times // DAY_MS
    return tuple(
        _figures(
            datetime.fromtimestamp(int(number) * DAY_MS // 1_000, UTC).date().isoformat(),
            scores[numbers == number],
            labels[numbers == number],
            threshold,
        )
        for number in np.unique(numbers)
    )


def _figures(
    day: str, scores: npt.NDArray[np.float64], labels: npt.NDArray[np.int64], threshold: float | None
) -> DayFigures:
    known = labels >= 0
    roc_auc, precision = ranking_figures(scores[known], labels[known])
    positives, negatives = int((labels == 1).sum()), int((labels == 0).sum())
    low, high = (None, None) if roc_auc is None else auc_interval(roc_auc, positives, negatives)
    return DayFigures(
        day=day,
        scored=len(scores),
        labelled=int(known.sum()),
        positives=positives,
        roc_auc=roc_auc,
        ci_low=low,
        ci_high=high,
        average_precision=precision,
        alerts=None if threshold is None else int((scores >= threshold).sum()),
        caught=None if threshold is None else int(((scores >= threshold) & (labels == 1)).sum()),
    )
