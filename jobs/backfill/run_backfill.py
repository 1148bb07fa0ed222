"""Computes a feature set for every transaction of a dataset, in parallel processes, one entity in one process.

The result is what the stream would have given with ``order = event_time``: each transaction sees what was known at its
own time, truths ``truth_delay_ms`` after their events.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from connectors.data.dataset import Dataset
from jobs.backfill.entity_group import EntityGroup, GroupFeatures
from udfs.domain.errors import SettingsError
from udfs.domain.event_transform import EventTransform
from udfs.domain.feature_set import FeatureSet
from udfs.domain.window_feature import Entity, WindowFeature

__all__ = ["Backfill", "run_backfill"]

GROUPS = 64
"""Parts of the work per kind of entity: enough for an even load and a smooth bar, each a few megabytes to send."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """The features of a dataset.

    Parameters
    ----------
    rows
        Rows of the dataset, in event order; a repeated transaction_id of a customer is not among them.
    values
        One row of numbers each, columns in the order of the feature set.
    duplicates
        How many transactions repeated another.
    """

    rows: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    duplicates: int


def run_backfill(
    dataset: Dataset,
    features: FeatureSet,
    *,
    processes: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Backfill:
    """Compute every feature of the set for every transaction of the dataset.

    Parameters
    ----------
    dataset
        The transactions, in event order.
    features
        The feature set.
    processes
        How many run at once; one per core by default, and with 1 the work is done in this one.
    progress
        Called with how many windows have been computed and how many there are.

    Raises
    ------
    SettingsError
        If the dataset lacks fields the set needs.
    """
    missing = [name for name in features.required_fields if name not in dataset.columns.fields]
    if missing:
        msg = f"The data has no {', '.join(missing)}, which {features.label} needs; map them with --map FIELD=COLUMN."
        raise SettingsError(msg)
    values = np.zeros((len(dataset), len(features.features)), np.float64)
    kept = np.zeros(len(dataset), np.bool_)
    windows = {entity: features.windows_of(entity) for entity in get_args(Entity)}
    at_terminal = {window.name for window in windows["terminal"]}
    of_terminal = tuple(name for name in features.features if name in at_terminal)
    of_customer = tuple(name for name in features.features if name not in at_terminal)
    total, done = len(dataset) * (2 if of_terminal else 1), 0

    def take(found: GroupFeatures, names: tuple[str, ...]) -> None:
        places = [features.features.index(name) for name in names]
        values[found.rows[:, None], places] = found.values
        kept[found.rows] = True

    with _workers(processes) as run:
        # Terminals come after customers: a transaction that repeats another counts in no window.
        for entity, names in (("customer", of_customer), ("terminal", of_terminal)):
            rows = np.arange(len(dataset)) if entity == "customer" else np.flatnonzero(kept)
            if not names and entity == "terminal":
                continue
            transforms = features.transforms if entity == "customer" else ()
            groups = _groups(dataset, rows, entity, names, windows[entity], transforms)  # type: ignore[arg-type]
            for size, found_here in run(groups):
                take(found_here, names)
                done += size
                if progress:
                    progress(done, total)
    found = np.flatnonzero(kept)
    return Backfill(found, values[found], len(dataset) - len(found))


def _groups(
    dataset: Dataset,
    rows: npt.NDArray[np.int64],
    entity: Entity,
    names: tuple[str, ...],
    windows: tuple[WindowFeature, ...],
    transforms: tuple[EventTransform, ...],
) -> Iterator[EntityGroup]:
    """Deal whole entities out into parts of about equal size."""
    columns = dataset.columns
    identifiers: Any = columns.customer_id if entity == "customer" else columns.terminal_id
    if identifiers is None:
        return
    identifiers = identifiers[rows]
    if identifiers.dtype == object:  # None, a transaction without terminal, has windows with nothing in them
        there = np.array([each is not None for each in identifiers], np.bool_)
        rows, identifiers = rows[there], identifiers[there].astype(str)
    _, entities, sizes = np.unique(identifiers, return_inverse=True, return_counts=True)
    part_of_entity = (np.cumsum(sizes) - sizes) * GROUPS // max(1, len(rows))
    part = part_of_entity[entities]
    order = np.argsort(part, kind="stable")
    for of_group in np.split(order, np.flatnonzero(np.diff(part[order])) + 1):
        if len(of_group):
            mine = rows[of_group]
            yield EntityGroup(entity, mine, columns.take(mine), windows, transforms, names, dataset.truth_delay_ms)


Run = Callable[[Iterable[EntityGroup]], Iterator[tuple[int, GroupFeatures]]]


@contextmanager
def _workers(processes: int | None) -> Iterator[Run]:
    """Give a way to work on groups, which yields size and features of each as it is done."""
    if processes == 1:
        yield lambda groups: ((len(group.rows), group.features()) for group in groups)
        return
    # Spawned: a fork of a process with Arrow's threads may hang.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_leave_interrupts)

    def run(groups: Iterable[EntityGroup]) -> Iterator[tuple[int, GroupFeatures]]:
        running = {pool.submit(EntityGroup.features, group): len(group.rows) for group in groups}
        for future in as_completed(running):
            yield running.pop(future), future.result()

    try:
        yield run
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _leave_interrupts() -> None:
    """Leave Ctrl-C to the parent process, which ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
