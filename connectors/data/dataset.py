"""A stream's worth of transactions with their truths: from a file or from the generator, in event order.

Used by ``weir produce`` and ``weir demo`` to fill the topics, and by training to learn from the same events.
It reads no clock: what is moved to now is moved by its caller, who says when now is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from connectors.data.columns import Columns
from connectors.data.file_reader import read_file
from connectors.data.generator import DEFAULT_START_MS, Generator
from udfs.domain.errors import DataFileError, SettingsError

__all__ = ["DEFAULT_TRUTH_DELAY_MS", "GENERATOR", "Dataset", "open_dataset"]

GENERATOR = "generator"
DEFAULT_TRUTH_DELAY_MS = (6 * 24 + 23) * 3_600_000
"""6 d 23 h: the truth of a week-old transaction is there when the book's terminal windows, 7 days back, need it."""
DEFAULT_GENERATED_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class Dataset:
    """Transactions in event order, and the truth of each a fixed time later.

    Parameters
    ----------
    columns
        The rows, in event order.
    feature_set
        Name of the feature set the rows are meant for: ``handbook`` or ``creditcard``.
    truth_delay_ms
        Milliseconds from an event to its truth.
    origin
        Where the rows are from, JSON-able: a file and its sha256, or the generator's parameters.
    first_row
        Index of the first row here within its origin.
    """

    columns: Columns
    feature_set: Literal["handbook", "creditcard"]
    truth_delay_ms: int
    origin: dict[str, Any] = field(default_factory=dict)
    first_row: int = 0

    def __len__(self) -> int:
        """Return the number of transactions."""
        return len(self.columns)

    @property
    def truth_count(self) -> int:
        """Number of truths: one for each transaction, or none for a set without labels."""
        return 0 if self.columns.label is None else len(self)

    @property
    def first_event_ms(self) -> int:
        """Time of the first event, epoch milliseconds; 0 when empty."""
        return int(self.columns.event_time_ms[0]) if len(self) else 0

    @property
    def last_event_ms(self) -> int:
        """Time of the last event, epoch milliseconds; 0 when empty."""
        return int(self.columns.event_time_ms[-1]) if len(self) else 0

    @property
    def last_time_ms(self) -> int:
        """The latest time in the stream, epoch milliseconds: of the last truth, or of the last event."""
        return self.last_event_ms + (self.truth_delay_ms if self.truth_count else 0)

    def transactions(self) -> Iterator[dict[str, Any]]:
        """Yield the messages of the topic ``transactions``, in event order."""
        return self.columns.transactions()

    def truths(self) -> Iterator[dict[str, Any]]:
        """Yield the messages of the topic ``truths``, in the order in which they become known."""
        return self.columns.truths(self.truth_delay_ms)

    def interleaved(self) -> Iterator[tuple[Literal["transactions", "truths"], dict[str, Any]]]:
        """Yield (topic, message), transactions by event time and truths by truth time, truths first where they tie."""
        times = self.columns.event_time_ms
        due = np.searchsorted(times + self.truth_delay_ms, times, side="right") if self.truth_count else times * 0
        truths = self.truths()
        known = 0
        for transaction, now_known in zip(self.transactions(), due.tolist(), strict=True):
            while known < now_known:
                yield "truths", next(truths)
                known += 1
            yield "transactions", transaction
        for truth in truths:
            yield "truths", truth

    def part(self, first: int, last: int | None = None) -> Dataset:
        """Return the rows ``first .. last - 1`` (to the end without ``last``); ``describe`` says which."""
        rows = self.columns.take(slice(first, last))
        return replace(self, columns=rows, first_row=self.first_row + min(first, len(self)))

    def between(self, start_ms: int, end_ms: int) -> Dataset:
        """Return the rows with event times in [start_ms, end_ms), epoch milliseconds."""
        first, last = np.searchsorted(self.columns.event_time_ms, [start_ms, end_ms], side="left").tolist()
        return self.part(first, max(first, last))

    def restamped(self, start_ms: int, speed: float = 1.0) -> Dataset:
        """Return the same rows, the first event at ``start_ms``, all gaps and the truth's delay divided by speed.

        Raises
        ------
        SettingsError
            If the speed is not above zero.
        """
        if not speed > 0:
            msg = f"The speed must be above 0, got {speed}; 60 plays an hour in a minute."
            raise SettingsError(msg)
        gaps = self.columns.event_time_ms - self.first_event_ms
        moved = start_ms + (gaps if speed == 1 else np.floor(gaps / speed).astype(np.int64))
        origin = {**self.origin, "restamped_from_ms": self.first_event_ms, "speed": speed}
        delay_ms = int(self.truth_delay_ms / speed)
        return replace(self, columns=replace(self.columns, event_time_ms=moved), truth_delay_ms=delay_ms, origin=origin)

    def describe(self) -> dict[str, Any]:
        """Return what a training record needs to name these rows again, JSON-able."""
        return {
            **self.origin,
            "feature_set": self.feature_set,
            "first_row": self.first_row,
            "rows": len(self),
            "frauds": 0 if self.columns.label is None else int(self.columns.label.sum()),
            "first_event_time_ms": self.first_event_ms,
            "last_event_time_ms": self.last_event_ms,
            "truth_delay_ms": self.truth_delay_ms,
        }


def open_dataset(
    source: str | Path,
    *,
    rows: int | None = None,
    mapping: Mapping[str, str] | None = None,
    truth_delay_ms: int = DEFAULT_TRUTH_DELAY_MS,
    seed: int = 42,
    days: int = 60,
    start_ms: int = DEFAULT_START_MS,
) -> Dataset:
    """Open a data file, or make one up.

    Parameters
    ----------
    source
        ``generator``, or the path of a parquet or CSV file.
    rows
        At most so many transactions, the first in event order; the generator makes exactly so many,
        100,000 by default.
    mapping
        Contract field to column, for files that are neither of the two known shapes, or to override those.
    truth_delay_ms
        Milliseconds from an event to its truth.
    seed, days, start_ms
        For the generator: the same give the same events; event days; epoch milliseconds of the first day's midnight.

    Raises
    ------
    DataFileError
        If the file cannot be read, lacks columns, or holds values that no transaction can have.
    SettingsError
        If a number is out of its range.

    Examples
    --------
    >>> dataset = open_dataset("generator", rows=1_000, seed=7)
    >>> len(dataset), sorted(next(dataset.transactions()))
    (1000, ['amount', 'customer_id', 'event_time_ms', 'terminal_id', 'transaction_id'])
    """
    if truth_delay_ms < 0 or (rows is not None and rows < 1):
        msg = f"rows must be at least 1 and the truth delay not negative, got rows={rows}, delay={truth_delay_ms} ms."
        raise SettingsError(msg)
    if str(source) == GENERATOR:
        made = Generator(rows=rows or DEFAULT_GENERATED_ROWS, days=days, seed=seed, start_ms=start_ms)
        return Dataset(made.columns(), "handbook", truth_delay_ms, made.describe())
    read = read_file(Path(source), mapping or {})
    if not len(read.columns):
        msg = f"{source} holds no rows; give a file with transactions."
        raise DataFileError(msg)
    return Dataset(read.columns, read.feature_set, truth_delay_ms, read.origin).part(0, rows)
