"""What a demo will do, decided before anything starts: which rows, how fast, and what is trained on which of them.

Generated: one world of 82 days; its first 21 are history, the rest is the stream. Version 1 (half-space trees, which
need no labels) learns from the history. Version 2 learns while the stream runs from everything whose truth is known by
then: with enough frauds among it a logistic regression.

A data file is all stream. Version 1 learns from its first sixteenth, version 2 from its first five sixteenths. What a
version learned from is scored, but marked as excluded and not counted in its quality; so version 1 has to show what it
can on the rows between, and version 2 takes over after those it knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from connectors.data.dataset import GENERATOR, Dataset, open_dataset
from connectors.kafka.producer import AHEAD_MS, CLOSE_AFTER_MS
from jobs.demo.training_order import TrainingOrder
from jobs.settings import Settings
from udfs.domain.errors import SettingsError

__all__ = ["DEFAULT_ROWS", "MIN_ROWS", "DemoPlan", "plan_demo"]

DEFAULT_ROWS, MIN_ROWS = 100_000, 2_000
DEFAULT_RATE, SHORTEST_S = 1_600.0, 62.0
"""Transactions a second at most, and how long the stream lasts at least, unless a rate is given."""
HISTORY_DAYS, STREAM_DAYS = 21, 61
TRAIN_AT, PROMOTE_AT, POISON_AT = 0.20, 0.40, 0.60
"""Shares of the stream at which version 2 is ordered, promoted at the earliest, and the poisoned version is tried."""
TRAINABLE_STREAM_S = 45.0
"""In a shorter stream there is no time to train: then version 2 is trained before it begins."""
FIRST_PART, SECOND_PART = 16, 5
ENOUGH_FRAUDS = 20
BEHIND_THE_JOB = 10
HOUR_MS = 3_600_000
WINDOWS_MS = tuple(round(hours * HOUR_MS) for hours in (1 / 60, 1 / 12, 1 / 6, 1 / 2, 1, 2, 6, 12, 24, 7 * 24, 28 * 24))
MOST_WINDOWS, FRAUDS_A_WINDOW = 64, 3
UNSUPERVISED, SUPERVISED = "half-space-trees", "logistic-regression"


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """One demo.

    Parameters
    ----------
    stream
        What is sent.
    rate
        Transactions a second.
    first, second
        What versions 1 and 2 learn from.
    first_told, second_told
        The same in words.
    train_at
        Share of the stream sent when version 2 is ordered; 0 trains it before the stream begins.
    quality_window_ms
        Length of the windows of ``model_quality``, milliseconds.
    """

    stream: Dataset
    rate: float
    first: TrainingOrder
    second: TrainingOrder
    first_told: str
    second_told: str
    train_at: float
    quality_window_ms: int

    @property
    def seconds(self) -> float:
        """How long the stream takes."""
        return len(self.stream) / self.rate

    def told(self) -> str:
        """Return in a line what is streamed."""
        kind = "generated" if self.first.source == GENERATOR else self.first.source.rpartition("/")[2]
        span_h = (self.stream.last_event_ms - self.stream.first_event_ms) / HOUR_MS
        span = f"{span_h / 24:.0f} days" if span_h > 72 else f"{span_h:.0f} hours"
        return (
            f"{len(self.stream):,} {kind} transactions over {span} of event time, "
            f"{self.rate:,.0f} a second for {self.seconds:.0f} s"
        )

    def closes_at_ms(self, now_ms: int) -> int:
        """Return the event time of the closing records that end the stream when it is ``now_ms``."""
        return max(self.stream.last_event_ms, min(self.stream.last_time_ms + CLOSE_AFTER_MS, now_ms + AHEAD_MS))

    def settings(self, settings: Settings, now_ms: int) -> Settings:
        """Return the job's settings for this stream: what a user set in the environment stands.

        Truth is waited for no longer than the closing records reach, so that every window becomes final at the end;
        but never for less than a day more than truths take.
        """
        given = settings.model_fields_set
        window_ms = settings.quality_window_ms if "quality_window_ms" in given else self.quality_window_ms
        last_end_ms = (self.stream.last_event_ms // window_ms + 1) * window_ms
        reach_ms = self.closes_at_ms(now_ms) - settings.allowed_lateness_ms - HOUR_MS - last_end_ms
        needed_ms = self.stream.truth_delay_ms + 24 * HOUR_MS
        changes: dict[str, Any] = {
            "feature_set": self.stream.feature_set,
            "order": "arrival",
            "activation": "arrival",
            "quality_window_ms": window_ms,
        }
        if "truth_retention_ms" not in given:
            changes["truth_retention_ms"] = max(needed_ms, min(settings.truth_retention_ms, reach_ms))
        return settings.model_copy(update=changes)

    def windows_close(self, settings: Settings, now_ms: int) -> bool:
        """Tell whether the closing records make every window final under these settings."""
        last_end_ms = (self.stream.last_event_ms // settings.quality_window_ms + 1) * settings.quality_window_ms
        watermark_ms = self.closes_at_ms(now_ms) - settings.allowed_lateness_ms - 1
        return watermark_ms >= last_end_ms + settings.truth_retention_ms


def plan_demo(data: str = GENERATOR, rows: int | None = None, rate: float | None = None) -> DemoPlan:
    """Decide on a demo.

    Parameters
    ----------
    data
        ``generator``, or the path of a data file.
    rows
        Transactions to send; 100,000 by default, or what the file has if that is less.
    rate
        Transactions a second; by default 1,600, or fewer so that the stream lasts a minute.

    Raises
    ------
    SettingsError, DataFileError
        For fewer than 2,000 rows, or a file that cannot be used.

    Examples
    --------
    >>> plan = plan_demo(rows=5_000)
    >>> plan.told()
    '5,000 generated transactions over 61 days of event time, 81 a second for 62 s'
    >>> plan.first_told
    'the 21 days before the stream'
    """
    wanted = rows or DEFAULT_ROWS
    if wanted < MIN_ROWS:
        msg = f"A demo needs at least {MIN_ROWS:,} transactions to train and to compare two versions, got {wanted:,}."
        raise SettingsError(msg)
    return _generated(wanted, rate) if data == GENERATOR else _of_file(data, wanted, rate)


def _generated(rows: int, rate: float | None) -> DemoPlan:
    days = HISTORY_DAYS + STREAM_DAYS
    total = round(rows * days / STREAM_DAYS)
    world = open_dataset(GENERATOR, rows=total, days=days)
    stream = world.part(total - rows)
    rate = _rate(rows, rate)
    train_at = TRAIN_AT if rows / rate >= TRAINABLE_STREAM_S else 0.0
    reached_ms = stream.first_event_ms + train_at * (stream.last_event_ms - stream.first_event_ms)
    known = _known(world, reached_ms)
    order = TrainingOrder(GENERATOR, total, days, total - rows, UNSUPERVISED)
    second = TrainingOrder(GENERATOR, total, days, known, _algorithm(world, known), BEHIND_THE_JOB)
    return DemoPlan(
        stream,
        rate,
        order,
        second,
        f"the {HISTORY_DAYS} days before the stream",
        "all whose truth is known by now",
        train_at,
        _window_ms(stream),
    )


def _of_file(path: str, rows: int, rate: float | None) -> DemoPlan:
    stream = open_dataset(path, rows=rows)
    count = len(stream)
    if count < MIN_ROWS:
        msg = f"{path} has {count:,} rows; a demo needs at least {MIN_ROWS:,} to train and to compare two versions."
        raise SettingsError(msg)
    rate = _rate(count, rate)
    prefix = max(300, round(count / FIRST_PART))
    second = max(2 * prefix, count * SECOND_PART // FIRST_PART)
    known = _known(stream, int(stream.columns.event_time_ms[second - 1]))
    algorithm = _algorithm(stream, known)
    last = known if algorithm == SUPERVISED else second
    return DemoPlan(
        stream,
        rate,
        TrainingOrder(path, rows, 1, prefix, UNSUPERVISED),
        TrainingOrder(path, rows, 1, last, algorithm, BEHIND_THE_JOB),
        f"the first {prefix:,} rows, which do not count in its quality",
        f"the first {last:,} rows",
        second / count if count / rate >= TRAINABLE_STREAM_S else 0.0,
        _window_ms(stream),
    )


def _rate(rows: int, rate: float | None) -> float:
    return rate if rate is not None else min(DEFAULT_RATE, rows / SHORTEST_S)


def _known(dataset: Dataset, time_ms: float) -> int:
    """Return how many of the first rows have a truth by a time."""
    return int(np.searchsorted(dataset.columns.event_time_ms, time_ms - dataset.truth_delay_ms, side="right"))


def _algorithm(dataset: Dataset, last: int) -> str:
    """Return the algorithm for version 2: one that learns from labels once there are some."""
    labels = dataset.columns.label
    frauds = 0 if labels is None else int(labels[:last].sum())
    return SUPERVISED if frauds >= ENOUGH_FRAUDS else UNSUPERVISED


def _window_ms(stream: Dataset) -> int:
    """Return the shortest window that is neither too short to see nor, on average, without a few frauds."""
    labels = stream.columns.label
    frauds = 0 if labels is None else int(labels.sum())
    most = min(MOST_WINDOWS, max(4, frauds // FRAUDS_A_WINDOW))
    span_ms = stream.last_event_ms - stream.first_event_ms
    return next((window for window in WINDOWS_MS if span_ms / window <= most), WINDOWS_MS[-1])
