"""The handbook's own experiment: its stream, its split, and the customers it takes out of the test.

Features come from the rules the job uses, over the stream in event order, the truth of each transaction 6 d 23 h after it.
Train on 2018-07-25..31, let a week pass until the truth of it is known, test on 2018-08-08..14. A customer who is known as
defrauded by then is not tested: his card would have been blocked.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from connectors.data.dataset import open_dataset
from jobs.training.training_course import Example
from jobs.training.training_examples import examples_of
from udfs.domain.feature_set import FEATURE_SETS

FILE = "handbook_raw.parquet"
FEATURES = FEATURE_SETS["handbook"]
DAY_MS = 86_400_000
TRAIN_DAYS = TEST_DAYS = DELAY_DAYS = 7
TRAIN_MS = int(datetime(2018, 7, 25, tzinfo=UTC).timestamp()) * 1_000
TEST_MS = TRAIN_MS + (TRAIN_DAYS + DELAY_DAYS) * DAY_MS
END_MS = TEST_MS + TEST_DAYS * DAY_MS
# The longest window, 30 days that end 7 days ago, and a day more: what came before is in no window.
HISTORY_MS = 38 * DAY_MS
# What the book counts, by which the split shows to be the book's.
BOOK_COUNTS = {"train": (67_240, 598), "test": (58_264, 385)}


@dataclass(frozen=True, slots=True)
class Split:
    """Training examples in event order, and the tested ones; ``labels`` are the test's."""

    train: list[Example]
    test: list[Example]
    labels: npt.NDArray[np.int64]


def data_file(arguments: list[str]) -> Path:
    """Return the data file: ``--data FILE``, ``WEIR_BENCH_DATA``, or where data lies beside the checkout."""
    root = Path(__file__).parents[2]
    said = arguments[arguments.index("--data") + 1] if "--data" in arguments[:-1] else os.environ.get("WEIR_BENCH_DATA")
    places = [Path(said)] if said else [root / "data" / FILE, root.parent / "shared" / "data" / FILE]
    for place in places:
        if place.is_file():
            return place
    print(
        f"{FILE} is needed and is not at {' or '.join(map(str, places))}; say where: ARGS='--data FILE'.",
        file=sys.stderr,
    )
    raise SystemExit(2)


def split_of(path: Path, progress: Callable[[int], None]) -> Split:
    """Compute the features and cut out the book's training and test sets."""
    whole = open_dataset(path)
    dataset = whole.between(TRAIN_MS - HISTORY_MS, END_MS)
    times = dataset.columns.event_time_ms
    first = int(np.searchsorted(times, TRAIN_MS))
    train, test = [], []
    tested = tested_transactions(dataset)
    for seen, example in enumerate(examples_of(dataset, FEATURES, first)):
        if example.event_time_ms < TRAIN_MS + TRAIN_DAYS * DAY_MS:
            train.append(example)
        elif example.transaction_id in tested:
            test.append(example)
        progress(seen)
    found = {"train": _counts(train), "test": _counts(test)}
    assert found == BOOK_COUNTS, f"the split is not the book's: {found}, there {BOOK_COUNTS}"
    return Split(train, test, np.array([example.label for example in test]))


def tested_transactions(dataset: Any) -> set[str]:
    """Return the test days' transactions but those of customers known as defrauded on their day."""
    columns = dataset.columns
    day = (columns.event_time_ms - TRAIN_MS) // DAY_MS
    known = set(columns.customer_id[(day >= 0) & (day < TRAIN_DAYS) & (columns.label == 1)].tolist())
    tested: set[str] = set()
    for number in range(TEST_DAYS):
        # The truth of a day is known a week later, at its end: the book looks one day further back.
        told = (day == TRAIN_DAYS + number - 1) & (columns.label == 1)
        known |= set(columns.customer_id[told].tolist())
        rows = columns.take(np.flatnonzero(day == TRAIN_DAYS + DELAY_DAYS + number))
        tested |= {
            str(transaction)
            for transaction, customer in zip(rows.transaction_id.tolist(), rows.customer_id.tolist(), strict=True)
            if customer not in known
        }
    return tested


def _counts(examples: list[Example]) -> tuple[int, int]:
    return len(examples), sum(int(example.label == 1) for example in examples)
