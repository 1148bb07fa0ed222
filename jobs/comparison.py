"""Two versions on the same labelled transactions: who ranks fraud better, and whether that could be chance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from jobs.ranking_figures import ranking_figures
from jobs.training.training_course import Example
from model_store.scorer import Scorer
from udfs.domain.delong import compare_aucs

__all__ = ["ComparedVersion", "Comparison", "compare_versions", "scores_of", "widest"]

BATCH = 1_000


@dataclass(frozen=True, slots=True)
class ComparedVersion:
    """How one version did.

    Parameters
    ----------
    digest
        The sha256 of the artifact that scored.
    roc_auc, average_precision
        None where a class is missing.
    """

    digest: str
    roc_auc: float | None
    average_precision: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of it.

    Parameters
    ----------
    a, b
        Each version's figures.
    difference
        ROC AUC of a less that of b; None where a class is missing.
    ci_low, ci_high, p_value
        DeLong's paired interval of the difference, 95 % unless asked otherwise, and the two-sided test that it is 0.
    positives, negatives
        Transactions both were judged by.
    excluded
        Labelled transactions left out because one of the versions was trained up to them.
    unlabelled
        Transactions without a truth that could be compared with.
    reason
        Why a figure is missing.
    """

    a: ComparedVersion
    b: ComparedVersion
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    p_value: float | None
    positives: int
    negatives: int
    excluded: int
    unlabelled: int
    reason: str | None


def compare_versions(
    a: Scorer,
    b: Scorer,
    examples: Iterable[Example],
    progress: Callable[[int], None] | None = None,
    *,
    confidence: float = 0.95,
) -> Comparison:
    """Score examples with both versions, as the job does, and compare.

    Parameters
    ----------
    a, b
        Loaded versions; the examples have the features of both.
    examples
        Transactions with their features; those without label do not count, nor do those up to which either version was
        trained: all that count are new to both.
    progress
        Called with the number of transactions scored.
    confidence
        Of the interval of the difference, in (0, 1).
    """
    trained_until_ms = max(a.header["trained_until_ms"], b.header["trained_until_ms"])
    scores: list[npt.NDArray[np.float64]] = [np.empty((2, 0))]
    labels: list[int] = []
    excluded = unlabelled = seen = 0
    rest = iter(examples)
    while batch := list(islice(rest, BATCH)):
        labelled = [each for each in batch if each.label is not None]
        counted = [each for each in labelled if each.event_time_ms > trained_until_ms]
        unlabelled += len(batch) - len(labelled)
        excluded += len(labelled) - len(counted)
        labels += [each.label for each in counted if each.label is not None]
        if counted:
            scores.append(np.array([scores_of(version, counted) for version in (a, b)]))
        seen += len(batch)
        if progress is not None:
            progress(seen)
    known = np.array(labels, dtype=np.int64)
    return _compared(a, b, np.concatenate(scores, axis=1), known, (excluded, unlabelled), confidence)


def widest(a: Scorer, b: Scorer) -> Scorer | None:
    """Return the version whose feature set has every feature of both; None where neither has.

    A name has one meaning in all feature sets, so both can be scored on that one's features.
    """
    known = [set(each.features) for each in (a, b)]
    return a if known[0] >= known[1] else b if known[1] >= known[0] else None


def scores_of(scorer: Scorer, examples: list[Example]) -> npt.NDArray[np.float64]:
    """Return a version's scores of examples, as the job would make them."""
    return scorer.score(scorer.matrix([each.vector for each in examples]))


def _compared(
    a: Scorer,
    b: Scorer,
    scores: npt.NDArray[np.float64],
    labels: npt.NDArray[np.int64],
    left_out: tuple[int, int],
    confidence: float,
) -> Comparison:
    positives, negatives = int((labels == 1).sum()), int((labels == 0).sum())
    first, second = (
        ComparedVersion(version.digest, *ranking_figures(made, labels))
        for version, made in zip((a, b), scores, strict=True)
    )
    paired = compare_aucs(scores[0], scores[1], labels, confidence) if positives and negatives else None
    return Comparison(
        a=first,
        b=second,
        difference=None if paired is None else paired.difference,
        ci_low=None if paired is None else paired.low,
        ci_high=None if paired is None else paired.high,
        p_value=None if paired is None else paired.p_value,
        positives=positives,
        negatives=negatives,
        excluded=left_out[0],
        unlabelled=left_out[1],
        reason="; ".join(_reasons(positives, negatives, paired is not None and paired.low is None)) or None,
    )


def _reasons(positives: int, negatives: int, no_interval: bool) -> Iterator[str]:
    for count, name in ((positives, "fraud"), (negatives, "genuine transaction")):
        if count == 0:
            yield f"no labelled {name} that is new to both versions"
    if no_interval:
        yield "too few of a class for an interval"
