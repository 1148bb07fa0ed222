"""What time does to open transactions: labels mature, and in the end a transaction is forgotten."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

from udfs.domain.quality_change import EVENT_TIME, Outcome, QualityChange
from udfs.domain.set_aside import SetAside
from udfs.domain.truth_record import OpenTransaction
from udfs.domain.truth_shard import TruthShard, state_key

__all__ = ["Aged", "age_truths"]

_PRESUMED, _INTERVENED = int(Outcome.PRESUMED), int(Outcome.INTERVENED)


@dataclass(slots=True)
class Aged:
    """What one call found to be mature or past; the fields are those of the join's update."""

    changes: list[QualityChange] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    forgotten: int = 0
    never_labelled: int = 0
    presumed: int = 0


def age_truths(
    state: MutableMapping[str, bytes],
    shard: TruthShard,
    now_ms: int,
    window_ms: int,
    retention_ms: int,
    maturity_ms: int,
    limit: int,
) -> Aged:
    """Presume the labels that are mature at ``now_ms`` and forget what is past its retention, about ``limit`` of each.

    Parameters
    ----------
    state
        The shard's MapState.
    shard
        Its own entry; the caller writes it.
    now_ms
        Event time that is surely over, epoch milliseconds.
    window_ms, retention_ms, maturity_ms
        As for ``join_truths``.
    limit
        At least so many records are looked at, if there are, and at most a piece of the shard's lists more.
    """
    aged = Aged()
    looked_at = 0
    while looked_at < limit and (ids := shard.take_mature(now_ms)) is not None:
        looked_at += len(ids)
        for transaction_id in ids:
            _mature(state, shard, transaction_id, now_ms - maturity_ms, window_ms, aged)
    while aged.forgotten < limit and (ids := shard.take_due(now_ms)) is not None:
        for transaction_id in ids:
            _forget(state, shard, transaction_id, now_ms - retention_ms, window_ms if maturity_ms else 0, aged)
    return aged


def _mature(
    state: MutableMapping[str, bytes],
    shard: TruthShard,
    transaction_id: str,
    newest_ms: int,
    window_ms: int,
    aged: Aged,
) -> None:
    key = state_key(transaction_id)
    data = state.get(key)
    if data is None:
        return
    held = OpenTransaction.decode(data)
    if held.tellings or held.presumed:
        return
    if held.event_time_ms > newest_ms:  # its prediction named a later time than its early truth
        shard.remember(transaction_id, held.event_time_ms)
        return
    _presume(held, shard, window_ms, aged)
    state[key] = held.encode()


def _presume(held: OpenTransaction, shard: TruthShard, window_ms: int, aged: Aged) -> None:
    held.presumed = True
    aged.presumed += 1
    start_ms = held.event_time_ms // window_ms * window_ms
    for name, (excluded, score) in held.predictions.items():
        if not excluded:
            aged.changes.append(QualityChange(*shard.names[name], EVENT_TIME, start_ms, score, _PRESUMED, 1))


def _forget(
    state: MutableMapping[str, bytes],
    shard: TruthShard,
    transaction_id: str,
    newest_ms: int,
    presume_window_ms: int,
    aged: Aged,
) -> None:
    """Forget a record, and presume its label first where labels mature and nothing looked at it in time."""
    key = state_key(transaction_id)
    data = state.get(key)
    if data is None:
        return
    held = OpenTransaction.decode(data)
    if held.event_time_ms > newest_ms:  # its prediction named a later time than its early truth
        shard.remember(transaction_id, held.event_time_ms)
        return
    del state[key]
    aged.forgotten += 1
    if not held.predictions:
        aged.set_aside.append(SetAside("truth_without_prediction", transaction_id, None, _found(held)))
    elif not held.tellings:
        aged.never_labelled += 1
        if presume_window_ms and not held.presumed:
            _presume(held, shard, presume_window_ms, aged)


def _found(held: OpenTransaction) -> dict[str, Any]:
    """Return what is still known of a truth, in the words of the topic ``truths``; an intervened one kept no label."""
    telling = held.tellings[-1]
    blocked = telling.outcome == _INTERVENED
    return {
        "kind": "truth",
        "label": None if blocked else telling.outcome,
        "intervened": blocked,
        "revision": telling.revision,
        "truth_time_ms": telling.truth_time_ms,
        "event_time_ms": held.event_time_ms,
        **(held.origin or {}),
    }
