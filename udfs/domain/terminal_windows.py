"""The terminal stage: counts each terminal's transactions and frauds of the weeks whose truth can be known.

Pure: a list of transactions and truths in the order in which they are to be taken, and the shard's state as a mapping.
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence

from udfs.domain.event import Transaction, Truth
from udfs.domain.terminal_history import TerminalHistory
from udfs.domain.transaction_digest import transaction_digest

__all__ = ["update_terminals"]


def update_terminals(
    events: Sequence[Transaction | Truth], state: MutableMapping[str, bytes], *, lateness_ms: int = 0
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
        How much longer than 38 days a terminal's history is kept. A day of lateness is in those 38 already.

    Returns
    -------
    list
        The transactions, in the given order, with the terminal's features set; those without a terminal_id as they
        came.

    Notes
    -----
    A truth counts for transactions from its truth_time_ms on. The highest revision known at the transaction's time
    holds; where one revision was told with both labels, fraud holds: neither depends on the order of arrival. A truth
    waits for its transaction, and belongs to it by transaction_id alone, whatever event time it names. An intervened
    transaction counts by its label. A truth without terminal_id, or about a transaction behind the retained history,
    changes nothing.
    """
    taken: list[Transaction] = []
    histories: dict[str, TerminalHistory] = {}
    for event in events:
        terminal_id = event["terminal_id"]
        if terminal_id is None:
            if event["kind"] == "transaction":
                taken.append(event)
            continue
        history = histories.get(terminal_id)
        if history is None:
            history = histories[terminal_id] = TerminalHistory(lateness_ms, state.get(terminal_id))
        digest, time_ms = transaction_digest(event["transaction_id"]), event["event_time_ms"]
        if event["kind"] == "truth":
            history.add_truth(digest, time_ms, event["truth_time_ms"], event["revision"], event["label"])
            continue
        history.add_transaction(digest, time_ms)
        known = event.copy()
        known["features"] = {**event["features"], **history.windows(time_ms)}
        taken.append(known)
    for terminal_id, history in histories.items():
        state[terminal_id] = history.encode()
    return taken
