"""Turns a dataset into examples to train on, by the same functions that make the features in the stream.

What the job's customer and terminal stages do with keyed state is done here with dictionaries, in event order; so there
is one definition of every feature. Pure but for what the dataset reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.data.dataset import Dataset
from jobs.training.training_course import Example
from udfs.domain.customer_windows import update_customers
from udfs.domain.event import Transaction, Truth
from udfs.domain.event_order import in_event_order
from udfs.domain.feature_set import FeatureSet
from udfs.domain.terminal_windows import update_terminals
from udfs.domain.window_plan import WindowPlan

__all__ = ["examples_of"]

# Events handled at once: a customer's state is read and written once per batch, so larger is quicker and takes memory.
BATCH_EVENTS = 20_000


def examples_of(dataset: Dataset, feature_set: FeatureSet, first_row: int = 0) -> Iterator[Example]:
    """Yield the dataset's transactions with their features, in event order; repeated ones only once.

    Parameters
    ----------
    dataset
        All rows, also those before ``first_row``: their history is in the windows of those after them.
    feature_set
        Which features.
    first_row
        Index of the first row of the dataset to yield.
    """
    labels = None if dataset.columns.label is None else dataset.columns.label.tolist()
    windowed = not set(feature_set.features) <= set(feature_set.required_fields)
    of_customer = WindowPlan(feature_set.windows_of("customer"), feature_set.transforms)
    of_terminal = WindowPlan(feature_set.windows_of("terminal"))
    customers: dict[str, bytes] = {}
    terminals: dict[str, bytes] = {}
    for batch in _batches(dataset, feature_set, with_truths=windowed):
        if windowed:
            transactions = [event for event in batch if event["kind"] == "transaction"]
            known = update_customers(transactions, customers, lateness_ms=0, plan=of_customer).events
            truths = [event for event in batch if event["kind"] == "truth"]
            events: list[Transaction] = update_terminals(
                in_event_order([*known, *truths]), terminals, lateness_ms=0, plan=of_terminal
            )
        else:
            events = [event for event in batch if event["kind"] == "transaction"]
        for event in events:
            row = event["offset"]
            if row < first_row:
                continue
            label = None if labels is None else labels[row]
            time_ms = event["event_time_ms"]
            truth_time_ms = None if label is None else time_ms + dataset.truth_delay_ms
            yield Example(time_ms, feature_set.vector(event), label, truth_time_ms, event["transaction_id"])


def _batches(dataset: Dataset, feature_set: FeatureSet, *, with_truths: bool) -> Iterator[list[Transaction | Truth]]:
    """Cut the stream where time moves on, so that what is equal in time is put in order together."""
    batch: list[Transaction | Truth] = []
    newest = -1
    for row, (topic, message) in _messages(dataset, with_truths=with_truths):
        time_ms = message["event_time_ms" if topic == "transactions" else "truth_time_ms"]
        if len(batch) >= BATCH_EVENTS and time_ms > newest:
            yield in_event_order(batch)
            batch = []
        newest = time_ms
        batch.append(_transaction(message, row, feature_set) if topic == "transactions" else _truth(message, row))
    if batch:
        yield in_event_order(batch)


def _messages(dataset: Dataset, *, with_truths: bool) -> Iterator[tuple[int, tuple[str, dict[str, Any]]]]:
    """Yield each message with the row it is about."""
    if not with_truths:
        yield from enumerate(("transactions", message) for message in dataset.transactions())
        return
    rows = {"transactions": 0, "truths": 0}
    for topic, message in dataset.interleaved():
        yield rows[topic], (topic, message)
        rows[topic] += 1


def _transaction(message: dict[str, Any], row: int, feature_set: FeatureSet) -> Transaction:
    return {
        "kind": "transaction",
        "partition": 0,
        "offset": row,
        "ingestion_time_ms": message["event_time_ms"],
        "transaction_id": message["transaction_id"],
        "event_time_ms": message["event_time_ms"],
        "customer_id": message["customer_id"],
        "terminal_id": message.get("terminal_id"),
        "amount": message["amount"],
        "fields": {
            name: str(message[name]) if name in feature_set.strings else float(message[name])
            for name in feature_set.required_fields
        },
        "features": {},
        "late": False,
        "warming_up": False,
    }


def _truth(message: dict[str, Any], row: int) -> Truth:
    return {
        "kind": "truth",
        "partition": 0,
        "offset": row,
        "ingestion_time_ms": message["truth_time_ms"],
        "transaction_id": message["transaction_id"],
        "label": message["label"],
        "revision": message["revision"],
        "truth_time_ms": message["truth_time_ms"],
        "event_time_ms": message["event_time_ms"],
        "customer_id": message["customer_id"],
        "terminal_id": message.get("terminal_id"),
        "intervened": False,
    }
