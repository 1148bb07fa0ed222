"""Some entities' share of a backfill: their transactions as columns, and the same functions as in the stream.

Runs in a worker process. The windows of an entity depend on its own events alone, so groups of entities are independent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from connectors.data.columns import Columns
from udfs.domain.customer_windows import update_customers
from udfs.domain.event import Transaction, Truth
from udfs.domain.event_order import in_event_order
from udfs.domain.event_transform import EventTransform
from udfs.domain.terminal_windows import update_terminals
from udfs.domain.window_feature import WindowFeature
from udfs.domain.window_plan import WindowPlan

__all__ = ["EntityGroup", "GroupFeatures"]

SLICE_EVENTS = 1_024
"""Events taken at once: an entity's state is read and written once for them, and what has expired goes."""


@dataclass(frozen=True, slots=True)
class GroupFeatures:
    """What came out of a group.

    Parameters
    ----------
    rows
        Rows of the dataset, each once; a transaction that repeats another is not among them.
    values
        One row of numbers for each of them, one column for each name that was asked for.
    """

    rows: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EntityGroup:
    """All transactions of some customers, or of some terminals.

    Parameters
    ----------
    entity
        Whose windows are wanted.
    rows
        The transactions' rows in the dataset.
    columns
        The transactions, in event order.
    windows
        Definitions of the entity's windows.
    transforms
        Definitions of features of a transaction alone.
    names
        The features wanted; those the entity's stage computes, and fields of the message.
    truth_delay_ms
        Milliseconds from an event to its truth.
    """

    entity: Literal["customer", "terminal"]
    rows: npt.NDArray[np.int64]
    columns: Columns
    windows: tuple[WindowFeature, ...]
    transforms: tuple[EventTransform, ...]
    names: tuple[str, ...]
    truth_delay_ms: int

    def features(self) -> GroupFeatures:
        """Return the features of every transaction of the group."""
        taken: list[Transaction] = []
        state: dict[str, bytes] = {}
        plan = WindowPlan(self.windows, self.transforms)
        for events in _slices(self._events()):
            if self.entity == "customer":
                taken += update_customers(events, state, lateness_ms=0, plan=plan).events
            else:
                taken += update_terminals(events, state, lateness_ms=0, plan=plan)
        rows = np.fromiter((event["offset"] for event in taken), np.int64, len(taken))
        values = np.array([_numbers(event, self.names) for event in taken], np.float64)
        return GroupFeatures(rows, values.reshape(len(taken), len(self.names)))

    def _events(self) -> list[Transaction | Truth]:
        texts = self.columns.texts
        terminals = [None] * len(self.columns) if self.columns.terminal_id is None else texts("terminal_id")
        needed = {*self.names, *(each.reads for each in self.transforms)}
        fields = {name: values.tolist() for name, values in self.columns.fields.items() if name in needed}
        labels = None if self.columns.label is None else self.columns.label.tolist()
        events: list[Transaction | Truth] = []
        for at, (row, transaction_id, time_ms, customer_id, terminal_id, amount) in enumerate(
            zip(
                self.rows.tolist(),
                texts("transaction_id"),
                self.columns.event_time_ms.tolist(),
                texts("customer_id"),
                terminals,
                self.columns.amount.tolist(),
                strict=True,
            )
        ):
            position = {"partition": 0, "offset": row, "ingestion_time_ms": time_ms, "transaction_id": transaction_id}
            position |= {"event_time_ms": time_ms, "customer_id": customer_id, "terminal_id": terminal_id}
            taken = {"kind": "transaction", "amount": amount, "features": {}, "late": False, "warming_up": False}
            taken["fields"] = {name: values[at] for name, values in fields.items()}
            events.append(position | taken)  # type: ignore[arg-type]
            # A first truth that says "genuine" changes no count.
            if self.entity == "terminal" and labels is not None and labels[at]:
                told = {"kind": "truth", "label": 1, "revision": 0, "truth_time_ms": time_ms + self.truth_delay_ms}
                events.append(position | told | {"intervened": False})  # type: ignore[arg-type]
        return in_event_order(events)


def _slices(events: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (events[at : at + SLICE_EVENTS] for at in range(0, len(events), SLICE_EVENTS))


def _numbers(event: Transaction, names: Sequence[str]) -> list[float]:
    features, fields = event["features"], event["fields"]
    return [features[name] if name in features else float(fields[name]) for name in names]
