"""One batch of predictions and truths against the open transactions of a shard: the rules of the join, item by item."""

from __future__ import annotations

from collections.abc import MutableMapping
from math import isfinite

from udfs.domain.event import Position, Prediction, Truth
from udfs.domain.quality_change import EVENT_TIME, TRUTH_TIME, Outcome, QualityChange
from udfs.domain.set_aside import SetAside
from udfs.domain.truth_record import OpenTransaction, Telling
from udfs.domain.truth_shard import TruthShard, state_key

__all__ = ["TruthBatch"]

_SCORED, _EXCLUDED, _INTERVENED = int(Outcome.SCORED), int(Outcome.EXCLUDED), int(Outcome.INTERVENED)
_SET_ASIDE = int(Outcome.SET_ASIDE)
_NO_SCORE = 0.0


class TruthBatch:
    """The records a batch touches, each read once and written once.

    Parameters
    ----------
    state, window_ms, watermark_ms
        As for ``join_truths``.
    shard
        The shard's own entry; the caller writes it.

    Attributes
    ----------
    changes, set_aside
        What the items so far brought.
    """

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
            self._refuse("score_not_finite", item, who)
            return
        record = self._records.get(transaction_id) or self._read(transaction_id, item)
        if record is None:
            self._refuse("too_late_prediction", item, who)
            return
        name = self._shard.name(who)
        predictions = record.predictions
        if name in predictions:
            if predictions[name] == (excluded, score):
                self.set_aside.append(SetAside("duplicate_prediction", transaction_id, item))
            else:
                self._refuse("conflicting_prediction", item, who)
            return
        if not predictions:
            # the time the score was given for; an early truth may have named another
            self._shard.see(record, item["event_time_ms"])
        predictions[name] = (excluded, score)
        self._dirty[transaction_id] = record
        start_ms = record.event_time_ms // self._window_ms * self._window_ms
        self.changes.append(QualityChange(*who, EVENT_TIME, start_ms, score, _EXCLUDED if excluded else _SCORED, 1))
        if excluded:
            return
        if (outcome := record.outcome) is not None:
            self.changes.append(QualityChange(*who, EVENT_TIME, start_ms, score, outcome, 1))
        for telling in record.tellings:
            self._tell(record, telling, who, score)

    def learn(self, item: Truth) -> None:
        """Take what a transaction turned out to be, or a correction of it."""
        transaction_id = item["transaction_id"]
        record = self._records.get(transaction_id) or self._read(transaction_id, item)
        if record is None:
            self.set_aside.append(SetAside("too_late_correction", transaction_id, item))
            return
        outcome = _INTERVENED if item["intervened"] else int(item["label"])
        telling = Telling(item["revision"], outcome, item["truth_time_ms"])
        if record.tellings:
            self._judge(record, telling, item)
        old = record.outcome
        if not record.learn(telling):
            return
        self._dirty[transaction_id] = record
        if not record.predictions:
            record.origin = Position(
                partition=item["partition"], offset=item["offset"], ingestion_time_ms=item["ingestion_time_ms"]
            )
            return
        names = self._shard.names
        for name, (excluded, score) in record.predictions.items():
            if not excluded:
                self._tell(record, telling, names[name], score)
        new = record.outcome
        if new is not None and new != old:
            self._relabel(record, old, new)

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

    def _judge(self, record: OpenTransaction, telling: Telling, item: Truth) -> None:
        """Set a truth aside that is no newer than the one held; of two labels with one revision the graver may hold."""
        held = record.tellings[-1]
        if telling.revision > held.revision:
            return
        if any(telling[:2] == told[:2] for told in record.tellings):
            self.set_aside.append(SetAside("duplicate_truth", item["transaction_id"], item))
            return
        reason = "conflicting_truth" if telling.revision == held.revision else "superseded_truth"
        self.set_aside.append(SetAside(reason, item["transaction_id"], item))
        for name in record.predictions:
            self._count_set_aside(self._shard.names[name], record.event_time_ms)

    def _refuse(self, reason: str, item: Prediction, who: tuple[str, str, str]) -> None:
        self.set_aside.append(SetAside(reason, item["transaction_id"], item))
        self._count_set_aside(who, item["event_time_ms"])

    def _count_set_aside(self, who: tuple[str, str, str], event_time_ms: int) -> None:
        start_ms = event_time_ms // self._window_ms * self._window_ms
        self.changes.append(QualityChange(*who, EVENT_TIME, start_ms, _NO_SCORE, _SET_ASIDE, 1))

    def _tell(self, record: OpenTransaction, telling: Telling, who: tuple[str, str, str], score: float) -> None:
        start_ms = telling.truth_time_ms // self._window_ms * self._window_ms
        delay_ms = telling.truth_time_ms - record.event_time_ms
        self.changes.append(QualityChange(*who, TRUTH_TIME, start_ms, score, telling.outcome, 1, delay_ms))

    def _relabel(self, record: OpenTransaction, old: int | None, outcome: int) -> None:
        start_ms = record.event_time_ms // self._window_ms * self._window_ms
        for name, (excluded, score) in record.predictions.items():
            if excluded:
                continue
            who = self._shard.names[name]
            if old is not None:
                self.changes.append(QualityChange(*who, EVENT_TIME, start_ms, score, old, -1))
            self.changes.append(QualityChange(*who, EVENT_TIME, start_ms, score, outcome, 1))
