"""First stage: raw values become validated events, customer windows become features."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from pyflink.common import Row
from pyflink.datastream import KeyedProcessFunction

from udfs.domain.customer_windows import (
    CUSTOMER_RETENTION_MS,
    CustomerUpdate,
    customer_histories,
    customer_keys,
    update_customers,
)
from udfs.domain.dead_letter import dead_letter
from udfs.domain.event import Position, Transaction, Truth
from udfs.domain.event_order import in_event_order, time_of
from udfs.domain.feature_catalog import FeatureCatalog
from udfs.domain.metadata import FeatureDefinition, parse_metadata
from udfs.domain.parsing import Control, Rejection, parse_transaction, parse_truth
from udfs.domain.payload import encode
from udfs.domain.shards import Shards
from udfs.domain.terminal_windows import changes_counts
from udfs.operators.build_check import check_build
from udfs.operators.clock import now_ms
from udfs.operators.descriptors import CUSTOMER_PARTS, CUSTOMER_SETS, CUSTOMERS, DEAD_LETTERS, TRUTHS
from udfs.operators.ends_job_for_good import ends_job_for_good
from udfs.operators.held_back import HeldBack
from udfs.operators.labelled_counters import LabelledCounters
from udfs.operators.shard_sets import ShardSets
from udfs.operators.stage_settings import StageSettings
from udfs.operators.state_entries import StateEntries
from udfs.operators.sweeps import Sweeps
from udfs.operators.window_metrics import WindowMetrics

__all__ = ["CustomerStage"]


@ends_job_for_good
class CustomerStage(KeyedProcessFunction):
    """Validates batches of raw transactions and truths, and computes the customer's windows.

    Keyed by
        Shard of the customer. Batches come from SQL: transactions, truths and, one copy for each shard, the rows of
        ``feature_definition`` in one input, told apart by their topic.
    State kept
        ``customers``: one entry per customer, its transactions of the longest window.
        ``customer-parts``: chunks and buckets of customers with more than 512 transactions.
        ``customer-feature-sets``: the feature sets by rows that this shard computes.
        ``held-back-for-watermark``: with order = event_time, events with their raw values, by the watermark that
        releases them.
    Timers
        One event-time timer a week and shard, which removes idle customers. With order = event_time one per source
        window: SQL lets go at once of what is behind the watermark of its own partition, and here, where the watermark
        is that of all, it must not overtake what another partition still makes wait.
    Emits
        Payloads of transactions and truths keyed by terminal shard, and each row of a feature set for the terminal shard
        of the same key; truths keyed by transaction shard (side output);
        dead letters (side output): malformed records and repeated transaction ids, with their position.
    Restart, late or repeated event
        State and source offsets come from the same checkpoint, so nothing is counted twice. A late transaction is scored
        and marked; with order = event_time one behind the watermark is taken when it comes. A repeated transaction_id of
        a customer becomes a dead letter ``duplicate`` and is not counted again.
    """

    def __init__(self, settings: StageSettings) -> None:
        self._settings = settings

    def open(self, ctx: Any) -> None:  # noqa: ANN401
        """Check the build, then get state."""
        check_build(self._settings.build_id)
        self._customers = StateEntries(ctx.get_map_state(CUSTOMERS))
        self._parts = StateEntries(ctx.get_map_state(CUSTOMER_PARTS))
        self._metrics = WindowMetrics(ctx.get_metrics_group())
        self._sweeps = Sweeps(CUSTOMER_RETENTION_MS + self._settings.lateness_ms)
        self._shards = Shards(self._settings.shards)
        self._dead_letters = LabelledCounters(ctx.get_metrics_group(), "dead_letters", ("reason",))
        self._sets = ShardSets(
            "customer",
            FeatureCatalog.from_json(self._settings.feature_rows),
            StateEntries(ctx.get_map_state(CUSTOMER_SETS)),
            self._customers,
            lambda: customer_histories(self._customers, self._parts, self._settings.lateness_ms),
        )
        self._held_back = HeldBack(ctx, self._settings)
        self._feature_set = self._settings.stream_features()

    def process_element(self, batch: Any, ctx: Any) -> Iterator[Any]:  # noqa: ANN401
        """Handle one batch of one topic and one shard."""
        topic, *columns = batch
        if topic == "weir.metadata":
            yield from self._define(columns[0], ctx)
            return
        optional = self._sets.of(ctx).optional_fields
        read: list[tuple[Transaction | Truth, str | None]] = []
        for value, partition, offset, append_ms in zip(*columns, strict=True):
            position = Position(partition=partition, offset=offset, ingestion_time_ms=append_ms)
            parsed = self._parse(topic, value, position, optional)
            if isinstance(parsed, Rejection):
                yield DEAD_LETTERS, self._dead_letter(topic, position, parsed.reason, parsed.detail, value)
            elif not isinstance(parsed, Control):
                read.append((parsed, value))
        if self._settings.order == "event_time":
            read = self._held_back.sift(read, lambda pair: time_of(pair[0]), ctx)
        yield from self._take(read, ctx)

    def _take(self, read: list[tuple[Transaction | Truth, str | None]], ctx: Any) -> Iterator[Any]:  # noqa: ANN401
        """Take events whose turn has come, each with its raw value."""
        events = [event for event, _ in read]
        if self._settings.order == "event_time":
            events = in_event_order(events)
        transactions = [event for event in events if event["kind"] == "transaction"]
        if transactions:
            update = self._update(transactions, ctx)
            if update.duplicates:
                raw = {(e["partition"], e["offset"]): value for e, value in read if e["kind"] == "transaction"}
                for repeated in update.duplicates:
                    value = raw[repeated["partition"], repeated["offset"]]
                    detail = f"transaction_id {repeated['transaction_id']!s:.80} was scored before"
                    yield DEAD_LETTERS, self._dead_letter("transactions", repeated, "duplicate", detail, value)
            yield from self._by_terminal(update.events)
        truths = [event for event in events if event["kind"] == "truth"]
        yield from self._by_terminal([truth for truth in truths if changes_counts(truth)])
        for key, group in self._grouped(truths, lambda truth: truth["transaction_id"]).items():
            yield TRUTHS, Row(key, encode(group))

    def _update(self, transactions: list[Transaction], ctx: Any) -> CustomerUpdate:  # noqa: ANN401
        sets, lateness_ms = self._sets.of(ctx), self._settings.lateness_ms
        with self._customers.batch(customer_keys(transactions)) as customers:
            update = update_customers(
                transactions, customers, lateness_ms=lateness_ms, plan=sets.plan, parts=self._parts
            )
        sets.mark(update.events)
        self._metrics.take(update.sizes)
        if update.events:
            first = update.events[0]
            self._sweeps.set(first["customer_id"], first["event_time_ms"], ctx)
        return update

    def _define(self, values: list[str | None], ctx: Any) -> Iterator[Any]:  # noqa: ANN401
        """Take rows of feature sets, and hand them on; what is none the gate reports."""
        rows = [row for row in map(parse_metadata, values) if isinstance(row, FeatureDefinition)]
        self._sets.take(rows, ctx)
        if rows:
            yield Row(ctx.get_current_key(), encode([row.to_json() for row in rows]))

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[Any]:  # noqa: ANN401
        """Release what the watermark has passed, in event order; once a week, remove idle customers."""
        held = self._held_back.release(timestamp)
        if held:
            yield from self._take(held, ctx)
        self._sweeps.sweep(self._customers, self._parts, timestamp, ctx)

    def _parse(
        self, topic: str, value: str | None, position: Position, optional: Mapping[str, bool]
    ) -> Transaction | Truth | Rejection | Control:
        if topic == "transactions":
            mine = self._feature_set
            return parse_transaction(value, position, mine.required_fields, mine.strings, optional)
        return parse_truth(value, position)

    def _by_terminal(self, events: Any) -> Iterator[Any]:  # noqa: ANN401
        # Without a terminal the customer spreads the load; the terminal stage only passes such events on.
        for key, group in self._grouped(events, lambda event: event["terminal_id"] or event["customer_id"]).items():
            yield Row(key, encode(group))

    def _grouped(self, events: Any, entity: Any) -> dict[str, list[Any]]:  # noqa: ANN401
        groups: dict[str, list[Any]] = defaultdict(list)
        for event in events:
            groups[self._shards.of(entity(event))].append(event)
        return groups

    def _dead_letter(self, topic: str, position: Any, reason: str, detail: str, value: str | None) -> Any:  # noqa: ANN401
        self._dead_letters.add((reason,))
        letter = dead_letter(topic, position, reason, detail, value, now_ms())
        return Row(f"{topic}-{position['partition']}-{position['offset']}", encode(letter))
