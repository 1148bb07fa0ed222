"""The truth join: what versions said of a transaction meets what it turned out to be.

It sits between scoring and the quality stage, keyed by transaction in shards. Whatever the order of arrival, the
changes it has emitted always add up to the newest truth of every prediction. It never drops a truth for lateness
alone: only when the transaction itself was forgotten, and then it says so. It computes no quality and reads no clock.

With a label maturity (sources that report fraud only) a transaction without truth counts as presumed genuine once it
is that old; a truth that comes later takes this back. At the latest it is presumed when it is forgotten, so what a
window says in the end does not depend on when the join looked.

What is set aside, and why (``SetAside.reason``):

=========================  ==========================================================================================
duplicate_prediction       this version and role already scored the transaction, with the same score (a replay)
conflicting_prediction     ... with another score; the first one stands
score_not_finite           a score that cannot be ranked
too_late_prediction        the retention of its event time is over; counted once it could not be told from a repetition
duplicate_truth            a revision and label that were told before
conflicting_truth          another label with the revision that is held; intervened holds, then fraud, in whatever order
superseded_truth           a lower revision than the one held
too_late_correction        a truth for a transaction that was forgotten
truth_without_prediction   the retention is over and no version ever scored the transaction
=========================  ==========================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass

from udfs.domain.event import Prediction, Truth
from udfs.domain.quality_change import QualityChange
from udfs.domain.set_aside import SetAside
from udfs.domain.truth_aging import age_truths
from udfs.domain.truth_batch import TruthBatch
from udfs.domain.truth_shard import SHARD_KEY, TruthShard, state_key

__all__ = ["TruthUpdate", "expire_truths", "join_truths", "truth_keys"]

_FORGET_PER_CALL = 256


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
        Of these, the ones that had a prediction and no truth: they stay scored and unlabelled, or presumed genuine.
    presumed
        Transactions that count as genuine from now on because no truth came within the label maturity.
    next_due_ms
        Event time in epoch milliseconds at which the next records mature or are forgotten; None when there are none.
    holds
        Whether the shard still holds records.
    """

    changes: list[QualityChange]
    set_aside: list[SetAside]
    forgotten: int = 0
    never_labelled: int = 0
    presumed: int = 0
    next_due_ms: int | None = None
    holds: bool = False


def truth_keys(items: Iterable[Prediction | Truth]) -> set[str]:
    """Return the keys of the state that :func:`join_truths` reads, but for those of its lists of what is to be forgotten."""
    return {SHARD_KEY, *(state_key(item["transaction_id"]) for item in items)}


def join_truths(
    items: Sequence[Prediction | Truth],
    state: MutableMapping[str, bytes],
    *,
    window_ms: int,
    retention_ms: int,
    watermark_ms: int,
    maturity_ms: int = 0,
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
    maturity_ms
        How long after its event time a transaction without truth is presumed genuine, milliseconds; 0 is never. Below
        the retention.
    """
    shard = TruthShard(state, retention_ms, maturity_ms)
    batch = TruthBatch(state, shard, window_ms, watermark_ms)
    for item in items:
        if item["kind"] == "prediction":
            batch.predict(item)
        else:
            batch.learn(item)
    batch.write()
    now_ms = min(watermark_ms, shard.clock_ms)
    aged = age_truths(state, shard, now_ms, window_ms, retention_ms, maturity_ms, 2 * len(items))
    shard.write()
    next_due_ms = shard.next_due_ms()
    return TruthUpdate(
        batch.changes + aged.changes,
        batch.set_aside + aged.set_aside,
        aged.forgotten,
        aged.never_labelled,
        aged.presumed,
        next_due_ms,
        next_due_ms is not None,
    )


def expire_truths(
    state: MutableMapping[str, bytes],
    *,
    window_ms: int,
    retention_ms: int,
    watermark_ms: int,
    maturity_ms: int = 0,
    limit: int = _FORGET_PER_CALL,
    nothing_on_its_way: bool = False,
) -> TruthUpdate:
    """Presume what is mature and forget what is past: what a timer calls where no items come to do it on the way.

    Parameters
    ----------
    state
        The shard's MapState.
    window_ms, retention_ms, maturity_ms
        As for :func:`join_truths`.
    watermark_ms
        The operator's watermark, epoch milliseconds.
    limit
        About how many to look at for maturity, and to forget, in this call.
    nothing_on_its_way
        Go by the watermark alone, also past the newest prediction of the shard. Only for a caller who knows that no
        batching window still holds items the watermark has overtaken: a processing-time timer a minute later. Without
        it, what a shard saw within one retention of its last prediction stays until it sees more.

    Returns
    -------
    TruthUpdate
        Its only changes presume labels. ``next_due_ms`` is when to call again, in event time: not above the watermark
        when the limit ended the call, and None when a later watermark alone would change nothing.
    """
    shard = TruthShard(state, retention_ms, maturity_ms)
    now_ms = watermark_ms if nothing_on_its_way else min(watermark_ms, shard.clock_ms)
    aged = age_truths(state, shard, now_ms, window_ms, retention_ms, maturity_ms, limit)
    shard.write()
    due_ms = shard.next_due_ms()
    holds = due_ms is not None
    if due_ms is not None and now_ms < due_ms <= watermark_ms:
        due_ms = None  # an event-time timer for it would fire at once and for ever
    return TruthUpdate(aged.changes, aged.set_aside, aged.forgotten, aged.never_labelled, aged.presumed, due_ms, holds)
