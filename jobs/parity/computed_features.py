"""The features of transactions, computed by the stream's own functions from a list of events in a given order."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby

from udfs.domain.customer_windows import update_customers
from udfs.domain.event import Transaction, Truth
from udfs.domain.feature_catalog import FeatureCatalog
from udfs.domain.terminal_windows import update_terminals

__all__ = ["computed_features"]

SLICE_EVENTS = 1_024


def computed_features(
    events: Sequence[Transaction | Truth], wanted: Collection[str], *, lateness_ms: int, catalog: FeatureCatalog
) -> dict[str, dict[str, float]]:
    """Return features and fields by transaction_id.

    Parameters
    ----------
    events
        What happened, in the order in which it is taken.
    wanted
        The transactions whose features are returned.
    lateness_ms
        As the job was told.
    catalog
        The feature sets to compute.
    """
    of_customer, of_terminal = catalog.plan("customer"), catalog.plan("terminal")
    customers: dict[str, bytes] = {}
    terminals: dict[str, bytes] = {}
    found: dict[str, dict[str, float]] = {}
    for start in range(0, len(events), SLICE_EVENTS):
        known: list[Transaction | Truth] = []
        # runs of one kind, so that transactions and truths keep their order in the second stage
        for kind, run in groupby(events[start : start + SLICE_EVENTS], key=lambda event: event["kind"]):
            if kind == "truth":
                known += run
            else:
                transactions: list[Transaction] = list(run)  # type: ignore[arg-type]
                known += update_customers(transactions, customers, lateness_ms=lateness_ms, plan=of_customer).events
        for event in update_terminals(known, terminals, lateness_ms=lateness_ms, plan=of_terminal):
            if event["transaction_id"] in wanted:
                found[event["transaction_id"]] = {**event["fields"], **event["features"]}  # type: ignore[dict-item]
    return found
