"""Fourth stage: what was said meets what it turned out to be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from pyflink.common import Row
from pyflink.datastream import KeyedProcessFunction

from udfs.domain.payload import decode, encode
from udfs.domain.quality_change import encode_changes
from udfs.domain.truth_join import TruthUpdate, expire_truths, join_truths, truth_keys
from udfs.operators.build_check import check_build
from udfs.operators.clock import now_ms
from udfs.operators.descriptors import DEAD_LETTERS, OPEN_TRANSACTIONS
from udfs.operators.ends_job_for_good import ends_job_for_good
from udfs.operators.held_payloads import HeldPayloads
from udfs.operators.stage_settings import StageSettings
from udfs.operators.state_entries import StateEntries

__all__ = ["TruthJoinStage"]


class _Tick(NamedTuple):
    """A processing-time timer of a shard, and the watermark when it was set."""

    at_ms: int
    watermark_ms: int


@ends_job_for_good
class TruthJoinStage(KeyedProcessFunction):
    """Joins predictions and truths by transaction and emits what changes in the counts of each version.

    Keyed by
        Shard of the transaction. Predictions come from the score stage, truths from the customer stage, in one input.
    State kept
        ``open-transactions``: one entry per transaction until its retention is over (see ``udfs/domain/truth_join.py``).
        ``held-payloads-for-watermark``: what came since the watermark moved, to be joined as one batch before it moves
        on; ``held-for-watermark``: the same, as an earlier version left it.
    Timers
        Those of :class:`~udfs.operators.held_payloads.HeldPayloads`. Event-time timers where labels mature or records
        are due to be forgotten. A processing-time timer every ``quiet_shard_ms``, for each shard that holds records: a
        shard whose predictions have ended ages by the watermark of that long ago.
    Emits
        Batches of count changes keyed by model, version and role. Dead letters (side output): what is set aside, with
        its position, except mere repetitions, which are counted only.
    Restart, late or repeated event
        Truth may come first, late, twice, corrected or never; repeats and replays change nothing. Internal state is
        exactly once, so a change is counted once. What is set aside is counted in metrics named after its reason. The
        watermark of that long ago is not state: after a restart the time begins anew.
    """

    def __init__(self, settings: StageSettings) -> None:
        self._settings = settings

    def open(self, ctx: Any) -> None:  # noqa: ANN401
        """Check the build, then get state."""
        check_build(self._settings.build_id)
        self._open = StateEntries(ctx.get_map_state(OPEN_TRANSACTIONS))
        self._held = HeldPayloads(ctx)
        self._metrics = ctx.get_metrics_group()
        self._counters: dict[str, Any] = {}
        self._ticks: dict[str, _Tick] = {}
        self._rules: dict[str, Any] = {
            "window_ms": self._settings.quality_window_ms,
            "retention_ms": self._settings.truth_retention_ms,
            "maturity_ms": self._settings.label_maturity_ms,
        }

    def process_element(self, payload: bytes, ctx: Any) -> Iterator[Any]:  # noqa: ANN401
        """Keep what came until the watermark is about to move: many small batches are joined as one."""
        self._held.add(payload, ctx, now_ms())
        return iter(())

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[Any]:  # noqa: ANN401
        """Join what was held, presume labels that are mature, forget transactions whose retention is over."""
        released = self._held.release(timestamp, ctx)
        if released.payloads:
            items = [item for payload in released.payloads for item in decode(payload)]
            with self._open.batch(truth_keys(items)) as records:
                update = join_truths(items, records, watermark_ms=released.watermark_ms, **self._rules)
            yield from self._emit(update, ctx)
        key = ctx.get_current_key()
        tick = self._ticks.get(key)
        if tick is not None and tick.at_ms == timestamp:
            del self._ticks[key]
            update = expire_truths(self._open, watermark_ms=tick.watermark_ms, nothing_on_its_way=True, **self._rules)
        elif released.is_its_timer:  # joining ages, too
            return
        else:
            # One source window behind the watermark: nothing still held in a batch is older than that.
            behind_ms = ctx.timer_service().current_watermark() - self._settings.event_time_batch_ms
            update = expire_truths(self._open, watermark_ms=behind_ms, **self._rules)
        yield from self._emit(update, ctx)

    def _emit(self, update: TruthUpdate, ctx: Any) -> Iterator[Any]:  # noqa: ANN401
        self._count(update)
        timers = ctx.timer_service()
        if update.next_due_ms is not None:
            timers.register_event_time_timer(update.next_due_ms + self._settings.event_time_batch_ms + 1)
        key = ctx.get_current_key()
        if update.holds and key not in self._ticks:
            self._ticks[key] = _Tick(now_ms() + self._settings.quiet_shard_ms, timers.current_watermark())
            timers.register_processing_time_timer(self._ticks[key].at_ms)
        for item in update.set_aside:
            if not item.is_repeat:
                letter = item.dead_letter(now_ms())
                position = f"{letter['topic']}-{letter['partition']}-{letter['offset']}"
                yield DEAD_LETTERS, Row(position, encode(letter))
        for version_key, text in encode_changes(update.changes).items():
            yield Row(version_key, text)

    def _count(self, update: TruthUpdate) -> None:
        counts = Counter(f"set_aside_{item.reason}" for item in update.set_aside)
        counts["transactions_forgotten"] = update.forgotten
        counts["transactions_never_labelled"] = update.never_labelled
        counts["labels_presumed"] = update.presumed
        for name, count in counts.items():
            if count:
                if name not in self._counters:
                    self._counters[name] = self._metrics.counter(name)
                self._counters[name].inc(count)
