"""Thresholds of a version on labelled transactions it does not know: alerts a day, frauds and fraud value caught."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from jobs.comparison import scores_of
from jobs.training.training_course import Example
from model_store.scorer import Scorer
from udfs.domain.errors import SettingsError
from udfs.domain.threshold_table import ThresholdRow, threshold_table

__all__ = ["ThresholdRows"]

BATCH = 1_000
AMOUNTS = ("TX_AMOUNT", "Amount")
"""Under which name a feature set has the amount."""


@dataclass(frozen=True, slots=True)
class ThresholdRows:
    """What came of it.

    Parameters
    ----------
    rows
        One for each number of alerts a day that was asked for.
    scored, frauds
        Transactions the version is new to, and the frauds known among them.
    excluded
        Transactions left out because the version was trained up to them.
    days
        Of event time they cover.
    """

    rows: tuple[ThresholdRow, ...]
    scored: int
    frauds: int
    excluded: int
    days: float

    @staticmethod
    def of(
        scorer: Scorer,
        examples: Iterable[Example],
        alerts_per_day: Sequence[float],
        progress: Callable[[int], None] | None = None,
    ) -> ThresholdRows:
        """Score examples and make the table.

        Parameters
        ----------
        examples
            In event order.

        Raises
        ------
        SettingsError
            If there is no time between the first and the last of them, or the features hold no amount.
        """
        amount = next((name for name in AMOUNTS if name in scorer.features), None)
        if amount is None:
            msg = f"The version's features hold no amount ({' or '.join(AMOUNTS)}); fraud value cannot be told."
            raise SettingsError(msg)
        trained_until_ms, columns, seen, rest = scorer.header["trained_until_ms"], [], 0, iter(examples)
        while batch := list(islice(rest, BATCH)):
            new = [each for each in batch if each.event_time_ms > trained_until_ms]
            seen += len(batch)
            if new:
                columns.append(
                    np.array(
                        [
                            scores_of(scorer, new),
                            [-1 if each.label is None else each.label for each in new],
                            [each.vector[amount] for each in new],
                            [each.event_time_ms for each in new],
                        ]
                    )
                )
            if progress is not None:
                progress(seen)
        scores, labels, amounts, times = np.concatenate([np.empty((4, 0)), *columns], axis=1)
        span_ms = int(times.max() - times.min()) if len(times) else 0
        if span_ms <= 0:
            msg = (
                f"{len(times):,} of {seen:,} transactions are new to the version, and no time passes between them; give "
                "later ones."
            )
            raise SettingsError(msg)
        found = threshold_table(
            scores, labels.astype(np.int64), amounts, span_ms=span_ms, alerts_per_day=alerts_per_day
        )
        frauds = int((labels == 1).sum())
        return ThresholdRows(tuple(found), len(times), frauds, seen - len(times), span_ms / 86_400_000)
