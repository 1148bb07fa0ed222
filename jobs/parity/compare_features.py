"""Computes the features of recorded transactions again and compares them with what the stream recorded.

Each is computed twice, by the stream's own functions: with all events in event order, which is what a backfill or a
training set holds, and in the order in which Kafka got them. With ``order = arrival`` a transaction is scored on what
had arrived: one that differs from the first but is explained by the order of arrival is counted apart.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from jobs.parity.recorded_events import RecordedEvents
from udfs.domain.customer_windows import update_customers
from udfs.domain.event import Transaction, Truth
from udfs.domain.event_order import in_event_order
from udfs.domain.feature_catalog import FeatureCatalog
from udfs.domain.terminal_windows import update_terminals

__all__ = ["Parity", "compare_features"]

TOLERANCE = 1e-9
SLACK_MS = 2_000
"""Two events that Kafka got within so long may have been taken in either order: batches and partitions."""
SLICE_EVENTS = 1_024
EXAMPLES = 5
Event = Transaction | Truth


@dataclass(slots=True)
class Parity:
    """What came out.

    Parameters
    ----------
    compared
        Inferences compared.
    matched
        Those whose features all agree with event order.
    arrival
        Those that differ only because an earlier event arrived later, or at about the same time.
    mismatched
        Those that differ for no such reason.
    missing
        Those whose transaction, or one of whose features, is not there to be compared.
    largest
        Largest difference by feature, over all that were compared.
    examples
        A few mismatches: transaction_id, feature, recorded, again.
    """

    compared: int = 0
    matched: int = 0
    arrival: int = 0
    mismatched: int = 0
    missing: int = 0
    largest: dict[str, float] = field(default_factory=dict)
    examples: list[dict[str, Any]] = field(default_factory=list)


def compare_features(recorded: RecordedEvents, *, lateness_ms: int, by_arrival: bool) -> Parity:
    """Compare every inference of the sample.

    Parameters
    ----------
    recorded
        The sample and its history.
    lateness_ms
        As the job was told.
    by_arrival
        Whether the job took events as they arrived; with ``order = event_time`` that explains nothing.
    """
    wanted = recorded.inferences
    in_order = _computed(in_event_order(recorded.events), wanted, lateness_ms, recorded.catalog)
    as_arrived, overtaken = {}, set[str]()
    if by_arrival:
        as_arrived = _computed(sorted(recorded.events, key=_arrival), wanted, lateness_ms, recorded.catalog)
        overtaken = _overtaken(recorded.events)
    result = Parity()
    largest: dict[str, float] = defaultdict(float)
    for name, inference in wanted.items():
        again, said = in_order.get(name, {}), inference["features"]
        known = recorded.catalog.sets.get(inference["feature_set"])
        features = known.features if known else tuple(said)
        # a transaction without terminal has no terminal features, in neither
        if not again or any((each in said) != (each in again) for each in features):
            result.missing += 1
            continue
        result.compared += 1
        features = tuple(each for each in features if each in said)
        for each in features:
            largest[each] = max(largest[each], abs(said[each] - again[each]))
        differ = [each for each in features if not _agree(said[each], again[each])]
        arrived = as_arrived.get(name)
        if not differ:
            result.matched += 1
        elif name in overtaken or (arrived and all(_agree(said[each], arrived[each]) for each in features)):
            result.arrival += 1
        else:
            result.mismatched += 1
            pair = {"recorded": said[differ[0]], "again": again[differ[0]]}
            if len(result.examples) < EXAMPLES:
                result.examples.append({"transaction_id": name, "feature": differ[0], **pair})
    result.largest = dict(largest)
    return result


def _computed(
    events: Sequence[Event],
    wanted: Any,  # noqa: ANN401
    lateness_ms: int,
    catalog: FeatureCatalog,
) -> dict[str, dict[str, float]]:
    of_customer, of_terminal = catalog.plan("customer"), catalog.plan("terminal")
    customers: dict[str, bytes] = {}
    terminals: dict[str, bytes] = {}
    found: dict[str, dict[str, float]] = {}
    for start in range(0, len(events), SLICE_EVENTS):
        known: list[Event] = []
        # runs of one kind, so that transactions and truths keep their order in the second stage
        for kind, run in groupby(events[start : start + SLICE_EVENTS], key=lambda event: event["kind"]):
            if kind == "truth":
                known += run
            else:
                transactions: list[Transaction] = list(run)  # type: ignore[arg-type]
                known += update_customers(transactions, customers, lateness_ms=lateness_ms, plan=of_customer).events
        for event in update_terminals(known, terminals, plan=of_terminal):
            if event["transaction_id"] in wanted:
                found[event["transaction_id"]] = {**event["fields"], **event["features"]}  # type: ignore[dict-item]
    return found


def _overtaken(events: Sequence[Event]) -> set[str]:
    """Return the transactions before which, in event order, something of theirs arrived later or at about the time."""
    found: set[str] = set()
    for entity in ("customer_id", "terminal_id"):
        latest: dict[str, int] = {}
        for event in in_event_order(events):
            of = event[entity]
            if of is None or (entity == "customer_id" and event["kind"] == "truth"):
                continue
            arrived = event["ingestion_time_ms"]
            if event["kind"] == "transaction" and latest.get(of, -SLACK_MS) > arrived - SLACK_MS:
                found.add(event["transaction_id"])
            latest[of] = max(latest.get(of, 0), arrived)
    return found


def _arrival(event: Event) -> tuple[int, bool, int, int]:
    return event["ingestion_time_ms"], event["kind"] != "truth", event["partition"], event["offset"]


def _agree(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
