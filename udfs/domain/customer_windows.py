"""The customer stage: drops repeated transactions, marks late ones, and computes each customer's windows.

Pure: a list of transactions in the order in which they are to be taken, and the shard's state as a mapping. The
operator around it reads a batch, calls this once, and writes what comes back.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass

from udfs.domain.calendar_features import calendar_features
from udfs.domain.entity_histories import EntityHistories
from udfs.domain.event import Transaction
from udfs.domain.event_chunk import scaled
from udfs.domain.handbook_windows import HANDBOOK_CUSTOMER
from udfs.domain.small_history import SmallHistory
from udfs.domain.state_schema import check_schema
from udfs.domain.transaction_digest import transaction_digest
from udfs.domain.window_names import DAY_MS
from udfs.domain.window_plan import WindowPlan

__all__ = [
    "CUSTOMER_REACH_MS",
    "CUSTOMER_RETENTION_MS",
    "CustomerUpdate",
    "customer_histories",
    "customer_keys",
    "update_customers",
]

CUSTOMER_REACH_MS = 31 * DAY_MS
"""How far back a window may reach."""
CUSTOMER_RETENTION_MS = CUSTOMER_REACH_MS + DAY_MS
"""One day more than any window needs: an event time may lie a day ahead, and must not cost others their history."""
HANDBOOK = WindowPlan(HANDBOOK_CUSTOMER)
SHARD = ""
"""The state key of the shard itself; no customer_id is empty."""
SHARD_SCHEMA = 1
PARTITION_STATE = struct.Struct("<iq")
"""Partition of the topic, greatest event time seen from it; one after the other behind the schema's byte."""


@dataclass(frozen=True, slots=True)
class CustomerUpdate:
    """What came out of one batch.

    Parameters
    ----------
    events
        The transactions, in the given order, with ``late`` and the customer's and calendar features set.
    duplicates
        Those whose transaction_id the customer had already, as they came in; they were counted nowhere.
    sizes
        About how many bytes of state each customer has whose state was written.
    """

    events: list[Transaction]
    duplicates: list[Transaction]
    sizes: list[int]


def customer_histories(
    state: MutableMapping[str, bytes], parts: MutableMapping[str, bytes], lateness_ms: int
) -> EntityHistories:
    """Return the customers' histories, kept as :func:`update_customers` keeps them."""
    return EntityHistories(state, parts, CUSTOMER_RETENTION_MS + lateness_ms, SmallHistory.of_customer_1)


def customer_keys(events: Iterable[Transaction]) -> set[str]:
    """Return the keys of the state that :func:`update_customers` reads."""
    return {SHARD, *(event["customer_id"] for event in events)}


def update_customers(
    events: Sequence[Transaction],
    state: MutableMapping[str, bytes],
    *,
    lateness_ms: int,
    plan: WindowPlan = HANDBOOK,
    parts: MutableMapping[str, bytes] | None = None,
) -> CustomerUpdate:
    """Take transactions in the given order into the state of their customers.

    Parameters
    ----------
    events
        Transactions of one shard; not changed. Ties: a window (t - n days, t] holds those of the same millisecond
        that were taken before, and the transaction itself; in event-time order that is the order of transaction_id.
    state
        The shard's state, one versioned value per customer_id and one for the shard; changed in place, read and written
        once per customer and call.
    lateness_ms
        An event is late if its time is less than the greatest one the shard had seen of its partition before it, minus
        this. (Partitions are read at paces of their own: one that lags behind another is not out of order.) It is
        scored and counted where it belongs all the same; only what lies behind the customer's retained 32 days is not
        kept.
    plan
        The window features and transforms to compute.
    parts
        What lies beside the values of large customers; by default in ``state``, too.

    Notes
    -----
    Not seen as a duplicate: a repeat under another customer, and one more than 32 days and the lateness behind the
    customer's greatest event time. Of two with one transaction_id the first to be taken wins.
    """
    taken: list[Transaction] = []
    duplicates: list[Transaction] = []
    histories = customer_histories(state, state if parts is None else parts, lateness_ms)
    greatest = _greatest(state)
    seen_before = dict(greatest)
    for event in events:
        customer_id, time_ms, amount = event["customer_id"], event["event_time_ms"], event["amount"]
        history = histories.of(customer_id)
        digest = transaction_digest(event["transaction_id"])
        if history.holds(digest):
            duplicates.append(event)
            continue
        kept = history.add(digest, time_ms, scaled(amount))
        histories.changed(customer_id)
        weekend, night = calendar_features(time_ms)
        known = event.copy()
        newest = greatest.get(event["partition"], time_ms)
        known["late"] = time_ms < newest - lateness_ms
        known["features"] = {
            **event["features"],
            "TX_AMOUNT": amount,
            "TX_DURING_WEEKEND": weekend,
            "TX_DURING_NIGHT": night,
            **(plan.values(history, time_ms) if kept else plan.alone(amount)),
        }
        for transform in plan.transforms:
            value = transform.of(event)
            if value is not None:
                known["features"][transform.name] = value
        taken.append(known)
        if time_ms >= newest:
            greatest[event["partition"]] = time_ms
    sizes = histories.write()
    if greatest != seen_before:
        state[SHARD] = bytes([SHARD_SCHEMA]) + b"".join(
            PARTITION_STATE.pack(*each) for each in sorted(greatest.items())
        )
    return CustomerUpdate(taken, duplicates, sizes)


def _greatest(state: MutableMapping[str, bytes]) -> dict[int, int]:
    data = state.get(SHARD)
    if data is None:
        return {}
    check_schema(data[0], SHARD_SCHEMA, "a customer shard")
    return dict(PARTITION_STATE.iter_unpack(data[1:]))
