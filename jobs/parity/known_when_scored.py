"""Whether recorded features are those of what the job had taken when it scored: the proof behind order = arrival.

What a stage had taken is a beginning of what it got. A terminal's transactions come to it from several shards: it took
those before that were scored before, for the inference says when that was. A customer's are taken in the order in which
Kafka got them. Where two times are close, the order may have been the other one. Of truths nothing says when they were
taken; they may have waited as long as transactions did. Each beginning that is possible by this is tried, and only one that
gives exactly the recorded numbers explains them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from jobs.parity.agree import agree
from jobs.parity.computed_features import computed_features
from udfs.domain.event import Transaction, Truth
from udfs.domain.feature_catalog import FeatureCatalog
from udfs.domain.window_feature import Entity

__all__ = ["KnownWhenScored"]

MEETING_MS = 500
"""Two transactions whose times are within so long may have met a stage in the other order."""
TRUTH_MEETING_MS = 2_000
"""A truth may have waited so much longer than the transaction that waited longest."""


class KnownWhenScored:
    """The events of customers and terminals in the order in which they were taken.

    Parameters
    ----------
    events
        Every transaction and truth of the entities asked about.
    scored_ms
        When each transaction was scored, epoch milliseconds, by transaction_id.
    lateness_ms
        As the job was told.
    catalog
        The feature sets to compute.
    """

    def __init__(
        self,
        events: Sequence[Transaction | Truth],
        scored_ms: Mapping[str, int],
        *,
        lateness_ms: int,
        catalog: FeatureCatalog,
    ) -> None:
        self._scored_ms, self._lateness_ms, self._catalog = scored_ms, lateness_ms, catalog
        self._transactions: dict[tuple[Entity, str], list[Transaction]] = defaultdict(list)
        self._truths: dict[str, list[Truth]] = defaultdict(list)
        self._waited_ms = 0
        for event in events:
            terminal = event["terminal_id"]
            if event["kind"] == "truth":
                self._truths[terminal or ""].append(event)
            elif event["transaction_id"] in scored_ms:
                self._transactions["customer", event["customer_id"]].append(event)
                self._transactions["terminal", terminal or ""].append(event)
                waited_ms = scored_ms[event["transaction_id"]] - event["ingestion_time_ms"]
                self._waited_ms = max(self._waited_ms, waited_ms)
        for (entity, _), transactions in self._transactions.items():
            transactions.sort(key=self._taken(entity))
        for truths in self._truths.values():
            truths.sort(key=lambda truth: truth["ingestion_time_ms"])

    def explains(self, transaction: Transaction, inference: Mapping[str, Any]) -> bool:
        """Whether a beginning of what the stages got gives every recorded window feature.

        Parameters
        ----------
        transaction
            The transaction that was scored.
        inference
            What was recorded of it.
        """
        if transaction["transaction_id"] not in self._scored_ms:
            return False
        return all(self._explains(entity, transaction, inference) for entity in ("customer", "terminal"))

    def _explains(self, entity: Entity, transaction: Transaction, inference: Mapping[str, Any]) -> bool:
        said = inference["features"]
        windows = self._catalog.sets[inference["feature_set"]].windows_of(entity)
        names = [each.name for each in windows if each.name in said]
        if not names:
            return True
        name = transaction["transaction_id"]
        for events in self._beginnings(entity, transaction):
            again = computed_features(events, (name,), lateness_ms=self._lateness_ms, catalog=self._catalog)[name]
            if all(agree(said[n], again[n]) for n in names):
                return True
        return False

    def _beginnings(self, entity: Entity, transaction: Transaction) -> Iterator[list[Transaction | Truth]]:
        taken = self._taken(entity)
        terminal = transaction["terminal_id"] or ""
        of_entity = self._transactions[entity, transaction["customer_id"] if entity == "customer" else terminal]
        others = [each for each in of_entity if each["transaction_id"] != transaction["transaction_id"]]
        truths = self._truths[terminal] if entity == "terminal" else []
        at = taken(transaction)
        first, last = (bisect_left(others, at + far, key=taken) for far in (-MEETING_MS, MEETING_MS + 1))
        since, until = (
            bisect_left(truths, at - waited_ms, key=lambda truth: truth["ingestion_time_ms"])
            for waited_ms in (self._waited_ms + TRUTH_MEETING_MS, -1)
        )
        # most likely first: all truths that had arrived
        for known in range(until, since - 1, -1):
            for before in range(last, first - 1, -1):
                yield [*truths[:known], *others[:before], transaction]

    def _taken(self, entity: Entity) -> Callable[[Transaction], int]:
        if entity == "customer":
            return lambda transaction: transaction["ingestion_time_ms"]
        return lambda transaction: self._scored_ms[transaction["transaction_id"]]
