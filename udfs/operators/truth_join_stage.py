"""Fourth stage: what was said meets what it turned out to be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from pyflink.common import Row
from pyflink.datastream import KeyedProcessFunction

from udfs.domain.payload import decode
from udfs.domain.quality_change import encode_changes
from udfs.domain.truth_join import TruthUpdate, expire_truths, join_truths
from udfs.operators.build_check import check_build
from udfs.operators.descriptors import OPEN_TRANSACTIONS
from udfs.operators.stage_settings import StageSettings
from udfs.operators.state_entries import StateEntries

__all__ = ["TruthJoinStage"]


class TruthJoinStage(KeyedProcessFunction):
    """Joins predictions and truths by transaction and emits what changes in the counts of each version.

    Keyed by
        Shard of the transaction. Predictions come from the score stage, truths from the customer stage, in one input.
    State kept
        ``open-transactions``: one entry per transaction until its retention is over (see ``udfs/domain/truth_join.py``).
    Timers
        Event-time timers where records are due to be forgotten.
    Emits
        Batches of count changes keyed by model, version and role.
    Restart, late or repeated event
        Truth may come first, late, twice, corrected or never; repeats and replays change nothing. Internal state is
        exactly once, so a change is counted once. What is set aside is counted in metrics named after its reason.
    """

    def __init__(self, settings: StageSettings) -> None:
        self._settings = settings

    def open(self, ctx: Any) -> None:  # noqa: ANN401
        """Check the build, then get state."""
        check_build(self._settings.build_id)
        self._open = StateEntries(ctx.get_map_state(OPEN_TRANSACTIONS))
        self._metrics = ctx.get_metrics_group()
        self._counters: dict[str, Any] = {}

    def process_element(self, payload: str, ctx: Any) -> Iterator[Any]:  # noqa: ANN401
        """Join one batch."""
        update = join_truths(
            decode(payload),
            self._open,
            window_ms=self._settings.quality_window_ms,
            retention_ms=self._settings.truth_retention_ms,
            watermark_ms=ctx.timer_service().current_watermark(),
        )
        yield from self._emit(update, ctx)

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[Any]:  # noqa: ANN401
        """Forget transactions whose retention is over."""
        # One source window behind the watermark: nothing still held in a batch is older than that.
        behind_ms = ctx.timer_service().current_watermark() - self._settings.event_time_batch_ms
        update = expire_truths(self._open, retention_ms=self._settings.truth_retention_ms, watermark_ms=behind_ms)
        yield from self._emit(update, ctx)

    def _emit(self, update: TruthUpdate, ctx: Any) -> Iterator[Any]:  # noqa: ANN401
        for reason, count in Counter(item.reason for item in update.set_aside).items():
            if reason not in self._counters:
                self._counters[reason] = self._metrics.counter(f"set_aside_{reason}")
            self._counters[reason].inc(count)
        if update.next_due_ms is not None:
            ctx.timer_service().register_event_time_timer(update.next_due_ms + self._settings.event_time_batch_ms + 1)
        for key, text in encode_changes(update.changes).items():
            yield Row(key, text)
