"""Second stage: terminal windows, fed by transactions and by the truths known at the time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyflink.common import Row
from pyflink.datastream import KeyedProcessFunction

from udfs.domain.event_order import in_event_order, time_of
from udfs.domain.feature_catalog import FeatureCatalog
from udfs.domain.metadata import FeatureDefinition
from udfs.domain.payload import decode, encode
from udfs.domain.shards import Shards
from udfs.domain.terminal_windows import TERMINAL_RETENTION_MS, terminal_histories, terminal_keys, update_terminals
from udfs.operators.build_check import check_build
from udfs.operators.descriptors import TERMINAL_PARTS, TERMINAL_SETS, TERMINALS
from udfs.operators.ends_job_for_good import ends_job_for_good
from udfs.operators.held_back import HeldBack
from udfs.operators.shard_sets import ShardSets
from udfs.operators.stage_settings import StageSettings
from udfs.operators.state_entries import StateEntries
from udfs.operators.sweeps import Sweeps
from udfs.operators.window_metrics import WindowMetrics

__all__ = ["TerminalStage"]


@ends_job_for_good
class TerminalStage(KeyedProcessFunction):
    """Computes the terminal's windows: how many transactions, and the share known to be fraud.

    Keyed by
        Shard of the terminal (of the customer where there is no terminal).
    State kept
        ``terminals``: one entry per terminal, its transactions of the longest window with their labels.
        ``held-back-for-watermark``: with order = event_time, events by the watermark that releases them.
        ``terminal-parts``: chunks and buckets of terminals with more than 512 transactions.
        ``terminal-feature-sets``: the feature sets by rows that this shard computes.
    Timers
        With order = event_time one event-time timer per source window; one a week and shard removes idle terminals.
    Emits
        Payloads of transactions with all features, keyed by the same shard.
    Restart, late or repeated event
        A truth counts from its truth_time_ms on, also before its transaction is here. A repeated truth changes nothing, a
        higher revision replaces the label. An event behind the watermark is taken when it comes.
    """

    def __init__(self, settings: StageSettings) -> None:
        self._settings = settings

    def open(self, ctx: Any) -> None:  # noqa: ANN401
        """Check the build, then get state."""
        check_build(self._settings.build_id)
        self._terminals = StateEntries(ctx.get_map_state(TERMINALS))
        self._parts = StateEntries(ctx.get_map_state(TERMINAL_PARTS))
        self._metrics = WindowMetrics(ctx.get_metrics_group())
        self._sweeps = Sweeps(TERMINAL_RETENTION_MS + self._settings.lateness_ms)
        self._held_back = HeldBack(ctx, self._settings)
        self._sets = ShardSets(
            "terminal",
            FeatureCatalog.from_json(self._settings.feature_rows),
            StateEntries(ctx.get_map_state(TERMINAL_SETS)),
            self._terminals,
            lambda: terminal_histories(self._terminals, self._parts, self._settings.lateness_ms),
        )
        self._shards = Shards(self._settings.shards)

    def process_element(self, payload: bytes, ctx: Any) -> Iterator[Any]:  # noqa: ANN401
        """Take a batch at once, or hold it back until the watermark has passed its source window."""
        events = decode(payload)
        if events and events[0]["kind"] == "feature_definition":
            self._sets.take([FeatureDefinition.from_json(row) for row in events], ctx)
            return
        if self._settings.order == "event_time":
            events = in_event_order(self._held_back.sift(events, time_of, ctx))
        if events:
            yield from self._take(events, ctx)

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[Any]:  # noqa: ANN401
        """Release what the watermark has passed, in event order; once a week, remove idle terminals."""
        held = self._held_back.release(timestamp)
        if held:
            yield from self._take(in_event_order(held), ctx)
        self._sweeps.sweep(self._terminals, self._parts, timestamp, ctx)

    def _take(self, events: Any, ctx: Any) -> Iterator[Any]:  # noqa: ANN401
        sizes: list[int] = []
        sets = self._sets.of(ctx)
        with self._terminals.batch(terminal_keys(events)) as terminals:
            scored_next = update_terminals(
                events,
                terminals,
                lateness_ms=self._settings.lateness_ms,
                plan=sets.plan,
                parts=self._parts,
                sizes=sizes,
            )
        sets.mark(scored_next)
        self._metrics.take(sizes)
        if scored_next:
            first = scored_next[0]
            self._sweeps.set(first["terminal_id"] or first["customer_id"], first["event_time_ms"], ctx)
            yield Row(self._shards.of(first["terminal_id"] or first["customer_id"]), encode(scored_next))
