"""What a shard of a window stage computes, and from when on the windows of each feature set are full.

A set is computed from the batch after its row on, from the transactions that are kept. Where these do not reach back
over its longest window, because the stage is younger than that, the set is warming up until event time has come so far.
A transaction carries the sets its stages knew (``sets``: label, and whether it was warming up); a set is whole when both
stages had it.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping, Sequence

from udfs.domain.entity_histories import EntityHistories
from udfs.domain.event import Transaction
from udfs.domain.feature_catalog import FeatureCatalog
from udfs.domain.feature_set import FeatureSet
from udfs.domain.known_sets import KnownSets, Uptake
from udfs.domain.metadata import FeatureDefinition
from udfs.domain.window_feature import Entity

__all__ = ["ShardFeatures"]

PREFIX = "full-from/"
ALWAYS = -(1 << 62)


class ShardFeatures:
    """The sets a shard knows.

    Parameters
    ----------
    entity
        Whose windows the stage computes.
    base
        The sets at the job's submission.
    state
        The shard's memory of rows, and of when windows are full.
    histories
        The shard's entities; looked through once for each new set.
    entities
        Their names.

    Attributes
    ----------
    plan
        The windows and transforms of all sets.
    optional_fields
        Fields of the message that sets by rows read, and whether each is a string.
    """

    def __init__(
        self,
        entity: Entity,
        base: FeatureCatalog,
        state: MutableMapping[str, bytes],
        histories: EntityHistories,
        entities: Iterable[str],
    ) -> None:
        self._entity: Entity = entity
        self._state = state
        self._known = KnownSets(state, base)
        self._settle(histories, entities)

    def take(
        self, rows: Iterable[FeatureDefinition], histories: EntityHistories, entities: Iterable[str]
    ) -> list[Uptake]:
        """Take rows; from the next transaction on what they define is computed."""
        taken = [uptake for uptake in map(self._known.take, rows) if uptake is not None]
        if taken:
            self._settle(histories, entities)
        return taken

    def mark(self, events: Sequence[Transaction]) -> None:
        """Note on transactions which sets this stage knew; the second stage keeps those that both did."""
        if not self._full_from:
            if self._entity == "terminal":
                for event in events:
                    event.pop("sets", None)
            return
        if events and None in self._full_from.values():
            self._begin(min(event["event_time_ms"] for event in events))
        for event in events:
            time_ms = event["event_time_ms"]
            mine = self._all_full if time_ms >= self._latest_ms else self._at(time_ms)
            if self._entity == "customer":
                event["sets"] = mine
            elif "sets" in event:
                event["sets"] = {label: warm or mine[label] for label, warm in event["sets"].items() if label in mine}

    def _settle(self, histories: EntityHistories, entities: Iterable[str]) -> None:
        catalog = self._known.catalog
        self.plan = catalog.plan(self._entity)
        self.optional_fields = catalog.optional_fields
        self._full_from: dict[str, int | None] = {}
        self._reach = {each.label: _reach_ms(each, self._entity) for each in catalog.of_rows}
        since: dict[bool, int | None] = {}
        for each in catalog.of_rows:
            reach_ms, key = self._reach[each.label], f"{PREFIX}{each.label}"
            if not reach_ms:
                self._full_from[each.label] = ALWAYS
            elif key in self._state:
                self._full_from[each.label] = int(self._state[key])
            else:
                amounts = any(window.field for window in each.windows if window.entity == self._entity)
                if amounts not in since:
                    since[amounts] = _since_ms(histories, entities, amounts=amounts)
                self._fill(each.label, since[amounts])
        self._order()

    def _begin(self, first_ms: int) -> None:
        """Start with the shard's first transaction: what is before it nobody knows."""
        for label, full_ms in list(self._full_from.items()):
            if full_ms is None:
                self._fill(label, first_ms)
        self._order()

    def _fill(self, label: str, since_ms: int | None) -> None:
        full_ms = self._full_from[label] = None if since_ms is None else since_ms + self._reach[label]
        if full_ms is not None:
            self._state[f"{PREFIX}{label}"] = str(full_ms).encode()

    def _order(self) -> None:
        known = [full_ms for full_ms in self._full_from.values() if full_ms is not None]
        self._latest_ms = max(known, default=ALWAYS)
        self._all_full = dict.fromkeys(self._full_from, False)

    def _at(self, time_ms: int) -> dict[str, bool]:
        return {label: full_ms is None or time_ms < full_ms for label, full_ms in self._full_from.items()}


def _reach_ms(features: FeatureSet, entity: Entity) -> int:
    return max((w.window_ms + w.delay_ms for w in features.windows if w.entity == entity), default=0)


def _since_ms(histories: EntityHistories, entities: Iterable[str], *, amounts: bool) -> int | None:
    """Return the oldest event time the shard holds, later where amounts are known only from later on."""
    oldest, known_from = None, ALWAYS
    for entity in entities:
        if not entity:  # what the shard itself remembers
            continue
        history = histories.of(entity)
        first_ms = history.oldest_ms
        if first_ms is not None:
            oldest = first_ms if oldest is None else min(oldest, first_ms)
            known_from = max(known_from, history.amounts_since_ms)
    return max(oldest, known_from) if oldest is not None and amounts else oldest
