"""The terminal stage: counts each terminal's transactions and frauds of the weeks whose truth can be known.

Pure: a list of transactions and truths in the order in which they are to be taken, and the shard's state as a mapping.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping, Sequence

from udfs.domain.entity_histories import EntityHistories
from udfs.domain.event import Transaction, Truth
from udfs.domain.event_chunk import scaled
from udfs.domain.handbook_windows import HANDBOOK_TERMINAL
from udfs.domain.small_history import SmallHistory
from udfs.domain.transaction_digest import transaction_digest
from udfs.domain.window_names import DAY_MS
from udfs.domain.window_plan import WindowPlan

__all__ = [
    "TERMINAL_REACH_MS",
    "TERMINAL_RETENTION_MS",
    "changes_counts",
    "terminal_histories",
    "terminal_keys",
    "update_terminals",
]

TERMINAL_REACH_MS = 38 * DAY_MS
"""How far back a window may reach, its delay included."""
TERMINAL_RETENTION_MS = TERMINAL_REACH_MS + 8 * DAY_MS
"""A day and a week more than any window needs: an event time may lie a day ahead, and a terminal's transactions come from
all partitions, of which one may be days ahead of another while a backlog is read; neither must cost others their history."""
HANDBOOK = WindowPlan(HANDBOOK_TERMINAL)


def changes_counts(truth: Truth) -> bool:
    """Say whether a truth can change a count; a first one that says "genuine" cannot."""
    return truth["label"] == 1 or truth["revision"] > 0


def terminal_histories(
    state: MutableMapping[str, bytes], parts: MutableMapping[str, bytes], lateness_ms: int
) -> EntityHistories:
    """Return the terminals' histories, kept as :func:`update_terminals` keeps them."""
    return EntityHistories(state, parts, TERMINAL_RETENTION_MS + lateness_ms, SmallHistory.of_terminal_1)


def terminal_keys(events: Iterable[Transaction | Truth]) -> set[str]:
    """Return the keys of the state that :func:`update_terminals` reads."""
    return {event["terminal_id"] for event in events if event["terminal_id"] is not None}


def update_terminals(
    events: Sequence[Transaction | Truth],
    state: MutableMapping[str, bytes],
    *,
    lateness_ms: int,
    plan: WindowPlan = HANDBOOK,
    parts: MutableMapping[str, bytes] | None = None,
    sizes: list[int] | None = None,
) -> list[Transaction]:
    """Take transactions and truths in the given order into the state of their terminals.

    Parameters
    ----------
    events
        Transactions and truths of one shard; not changed. Ties: what happens at one millisecond is taken in the given
        order. A transaction is never in its own window, which ends seven days before it.
    state
        The shard's state, one versioned value per terminal_id; changed in place, read and written once per terminal and
        call.
    lateness_ms
        How much longer than 46 days a terminal's history is kept: as long as an event may be late by.
    plan
        The window features to compute.
    parts
        What lies beside the values of large terminals; by default in ``state``, too.
    sizes
        Gets about how many bytes of state each terminal has whose state was written.

    Returns
    -------
    list
        The transactions, in the given order, with the terminal's features set; those without a terminal_id as they
        came.

    Notes
    -----
    A truth counts for transactions from its truth_time_ms on. The highest revision known at the transaction's time
    holds; where one revision was told with both labels, fraud holds: neither depends on the order of arrival. A truth
    waits for its transaction, and belongs to it by transaction_id alone, whatever event time it names; it waits until
    that time is behind the retained history, which a truth never moves. An intervened transaction counts by its label. A
    truth without terminal_id, one about a transaction behind the retained history, and a first one that says "genuine"
    change nothing.
    """
    taken: list[Transaction] = []
    histories = terminal_histories(state, state if parts is None else parts, lateness_ms)
    for event in events:
        terminal_id = event["terminal_id"]
        if terminal_id is None:
            if event["kind"] == "transaction":
                taken.append(event)
            continue
        if event["kind"] == "truth" and not changes_counts(event):
            continue
        history = histories.of(terminal_id)
        histories.changed(terminal_id)
        digest, time_ms = transaction_digest(event["transaction_id"]), event["event_time_ms"]
        if event["kind"] == "truth":
            history.add_truth(digest, time_ms, (event["truth_time_ms"], event["revision"], event["label"]))
            continue
        kept = history.add(digest, time_ms, scaled(event["amount"]))
        known = event.copy()
        known["features"] = {
            **event["features"],
            **(plan.values(history, time_ms) if kept else plan.alone(event["amount"])),
        }
        taken.append(known)
    written = histories.write()
    if sizes is not None:
        sizes += written
    return taken
