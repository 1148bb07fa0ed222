"""The truth join: what versions said of a transaction meets what it turned out to be.

It sits between scoring and the quality stage, keyed by transaction in shards. Whatever the order of arrival, the
changes it has emitted always add up to the newest truth of every prediction. It never drops a truth for lateness
alone: only when the transaction itself was forgotten, and then it says so. It computes no quality and reads no clock.

What is set aside, and why (``SetAside.reason``):

=========================  ==========================================================================================
duplicate_prediction       this version and role already scored the transaction, with the same score (a replay)
conflicting_prediction     ... with another score; the first one stands
score_not_finite           a score that cannot be ranked
too_late_prediction        the retention of its event time is over; counted once it could not be told from a repetition
duplicate_truth            the truth that is held already
conflicting_truth          another label with the revision that is held; intervened holds, then fraud, in whatever order
superseded_truth           a lower revision than the one held
too_late_correction        a truth for a transaction that was forgotten
truth_without_prediction   the retention is over and no version ever scored the transaction
=========================  ==========================================================================================
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

from udfs.domain.event import Prediction, Truth
from udfs.domain.quality_change import EVENT_TIME, Outcome, QualityChange
from udfs.domain.truth_record import OpenTransaction
from udfs.domain.truth_shard import TruthShard, state_key

__all__ = ["SetAside", "TruthUpdate", "expire_truths", "join_truths"]

_SCORED, _EXCLUDED, _INTERVENED = int(Outcome.SCORED), int(Outcome.EXCLUDED), int(Outcome.INTERVENED)
_FORGET_PER_CALL = 256


class SetAside(NamedTuple):
    """Something that does not count, and why; ``item`` is what arrived, None for what was found in state."""

    reason: str
    transaction_id: str
    item: Prediction | Truth | None


@dataclass(frozen=True, slots=True)
class TruthUpdate:
    """What a batch brought.

    Parameters
    ----------
    changes
        For the quality stage, in order: :func:`~udfs.domain.quality_change.encode_changes` makes the records.
    set_aside
        What does not count, for dead letters or counters.
    forgotten
        Records cleaned up.
    never_labelled
        Of these, the ones that had a prediction and no truth: they stay scored and unlabelled.
    next_due_ms
        Event time in epoch milliseconds at which the next records are due to be forgotten; None when there are none.
    """

    changes: list[QualityChange]
    set_aside: list[SetAside]
    forgotten: int = 0
    never_labelled: int = 0
    next_due_ms: int | None = None


def join_truths(
    items: Sequence[Prediction | Truth],
    state: MutableMapping[str, bytes],
    *,
    window_ms: int,
    retention_ms: int,
    watermark_ms: int,
) -> TruthUpdate:
    """Join a batch of predictions and truths of one shard, in the order given.

    Parameters
    ----------
    items
        Predictions and truths whose transactions belong to this shard.
    state
        The shard's MapState; only ``get``, item assignment and item deletion are used. One read and one write per
        transaction touched, three more per call.
    window_ms
        Length of the tumbling windows of event time, milliseconds.
    retention_ms
        How long after its event time a transaction waits for truth and for corrections, milliseconds.
    watermark_ms
        The operator's watermark, epoch milliseconds. A record is forgotten when both the watermark and the event time
        of the newest prediction seen here are past its event time + retention, because the watermark may overtake
        items that batching windows hold.
    """
    shard = TruthShard(state, retention_ms)
    batch = _Batch(state, shard, window_ms, watermark_ms)
    for item in items:
        if item["kind"] == "prediction":
            batch.predict(item)
        else:
            batch.learn(item)
    batch.write()
    now_ms = min(watermark_ms, shard.clock_ms)
    forgotten, never_labelled = _forget(state, shard, now_ms, retention_ms, 2 * len(items), batch.set_aside)
    shard.write()
    return TruthUpdate(batch.changes, batch.set_aside, forgotten, never_labelled, shard.next_due_ms())


def expire_truths(
    state: MutableMapping[str, bytes],
    *,
    retention_ms: int,
    watermark_ms: int,
    limit: int = _FORGET_PER_CALL,
    nothing_on_its_way: bool = False,
) -> TruthUpdate:
    """Forget transactions whose retention is over: what a timer calls where no items come to do it on the way.

    Parameters
    ----------
    state
        The shard's MapState.
    retention_ms
        As for :func:`join_truths`.
    watermark_ms
        The operator's watermark, epoch milliseconds.
    limit
        About how many to forget in this call.
    nothing_on_its_way
        Go by the watermark alone, also past the newest prediction of the shard. Only for a caller who knows that no
        batching window still holds items the watermark has overtaken: a processing-time timer a minute later. Without
        it, what a shard saw within one retention of its last prediction stays until it sees more.

    Returns
    -------
    TruthUpdate
        No changes. ``next_due_ms`` is when to call again, in event time: not above the watermark when the limit ended
        the call, and None when a later watermark alone would change nothing.
    """
    shard = TruthShard(state, retention_ms)
    set_aside: list[SetAside] = []
    now_ms = watermark_ms if nothing_on_its_way else min(watermark_ms, shard.clock_ms)
    forgotten, never_labelled = _forget(state, shard, now_ms, retention_ms, limit, set_aside)
    shard.write()
    due_ms = shard.next_due_ms()
    if due_ms is not None and now_ms < due_ms <= watermark_ms:
        due_ms = None  # an event-time timer for it would fire at once and for ever
    return TruthUpdate([], set_aside, forgotten, never_labelled, due_ms)


class _Batch:
    """The records a batch touches, each read once and written once."""

    __slots__ = ("_dirty", "_records", "_shard", "_state", "_watermark_ms", "_window_ms", "changes", "set_aside")

    def __init__(self, state: MutableMapping[str, bytes], shard: TruthShard, window_ms: int, watermark_ms: int) -> None:
        self._state = state
        self._shard = shard
        self._window_ms = window_ms
        self._watermark_ms = watermark_ms
        self._records: dict[str, OpenTransaction] = {}
        self._dirty: dict[str, OpenTransaction] = {}
        self.changes: list[QualityChange] = []
        self.set_aside: list[SetAside] = []

    def predict(self, item: Prediction) -> None:
        """Take what one version in one role said."""
        transaction_id, score, excluded = item["transaction_id"], item["score"], item["excluded"]
        who = (item["model"], item["version"], item["role"])
        if not isfinite(score):
            self.set_aside.append(SetAside("score_not_finite", transaction_id, item))
            return
        record = self._records.get(transaction_id) or self._read(transaction_id, item)
        if record is None:
            self.set_aside.append(SetAside("too_late_prediction", transaction_id, item))
            return
        name = self._shard.name(who)
        predictions = record.predictions
        if name in predictions:
            reason = "duplicate_prediction" if predictions[name] == (excluded, score) else "conflicting_prediction"
            self.set_aside.append(SetAside(reason, transaction_id, item))
            return
        if not predictions:
            # the time the score was given for; an early truth may have named another
            self._shard.see(record, item["event_time_ms"])
        predictions[name] = (excluded, score)
        self._dirty[transaction_id] = record
        start_ms = record.event_time_ms // self._window_ms * self._window_ms
        self.changes.append(QualityChange(*who, EVENT_TIME, start_ms, score, _EXCLUDED if excluded else _SCORED, 1))
        if record.outcome is not None and not excluded:
            self.changes.append(QualityChange(*who, EVENT_TIME, start_ms, score, record.outcome, 1))

    def learn(self, item: Truth) -> None:
        """Take what a transaction turned out to be, or a correction of it."""
        transaction_id, revision, intervened = item["transaction_id"], item["revision"], item["intervened"]
        record = self._records.get(transaction_id) or self._read(transaction_id, item)
        if record is None:
            self.set_aside.append(SetAside("too_late_correction", transaction_id, item))
            return
        outcome = _INTERVENED if intervened else int(item["label"])
        old = record.outcome
        if old is not None and revision <= record.revision:
            reason = "duplicate_truth" if outcome == old else "conflicting_truth"
            if revision < record.revision:
                reason = "superseded_truth"
            self.set_aside.append(SetAside(reason, transaction_id, item))
            # Two labels with one revision: the graver one holds, so that the order of arrival decides nothing.
            if revision < record.revision or outcome <= old:
                return
        record.learn(item["label"], intervened=intervened, revision=revision, truth_time_ms=item["truth_time_ms"])
        self._dirty[transaction_id] = record
        if outcome != old:
            self._relabel(record, old, outcome)

    def write(self) -> None:
        """Write the records that changed to the state."""
        for transaction_id, record in self._dirty.items():
            self._state[state_key(transaction_id)] = record.encode()

    def _read(self, transaction_id: str, item: Prediction | Truth) -> OpenTransaction | None:
        """Return the record from state, or a new one; None when it would have been forgotten already."""
        data = self._state.get(state_key(transaction_id))
        event_time_ms = item["event_time_ms"]
        if data is not None:
            record = OpenTransaction.decode(data)
        elif self._shard.is_past(event_time_ms, self._watermark_ms):
            return None
        else:
            record = OpenTransaction(event_time_ms)
            self._shard.remember(transaction_id, event_time_ms)
        self._records[transaction_id] = record
        return record

    def _relabel(self, record: OpenTransaction, old: int | None, outcome: int) -> None:
        start_ms = record.event_time_ms // self._window_ms * self._window_ms
        for name, (excluded, score) in record.predictions.items():
            if excluded:
                continue
            who = self._shard.names[name]
            if old is not None:
                self.changes.append(QualityChange(*who, EVENT_TIME, start_ms, score, old, -1))
            self.changes.append(QualityChange(*who, EVENT_TIME, start_ms, score, outcome, 1))


def _forget(
    state: MutableMapping[str, bytes],
    shard: TruthShard,
    now_ms: int,
    retention_ms: int,
    limit: int,
    set_aside: list[SetAside],
) -> tuple[int, int]:
    """Forget about ``limit`` records that are due; return how many, and how many of them had no truth."""
    forgotten = never_labelled = 0
    while forgotten < limit and (ids := shard.take_due(now_ms)) is not None:
        for transaction_id in ids:
            key = state_key(transaction_id)
            record = state.get(key)
            if record is None:
                continue
            held = OpenTransaction.decode(record)
            if held.event_time_ms + retention_ms > now_ms:  # its prediction named a later time than its early truth
                shard.remember(transaction_id, held.event_time_ms)
                continue
            del state[key]
            forgotten += 1
            if not held.predictions:
                set_aside.append(SetAside("truth_without_prediction", transaction_id, None))
            elif held.outcome is None:
                never_labelled += 1
    return forgotten, never_labelled
