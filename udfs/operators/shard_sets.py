"""The feature sets of each shard of a window stage: made of keyed state when a shard is first met, then remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from udfs.domain.entity_histories import EntityHistories
from udfs.domain.feature_catalog import FeatureCatalog
from udfs.domain.metadata import FeatureDefinition
from udfs.domain.shard_features import ShardFeatures
from udfs.domain.window_feature import Entity
from udfs.operators.state_entries import StateEntries

__all__ = ["ShardSets"]


class ShardSets:
    """Finds the sets of the current key.

    Parameters
    ----------
    entity
        Whose windows the stage computes.
    base
        The sets at the job's submission.
    state
        Keyed state for what rows said.
    entities
        Keyed state of the stage's customers or terminals.
    histories
        Makes their histories, to see how far back they reach.
    """

    def __init__(
        self,
        entity: Entity,
        base: FeatureCatalog,
        state: StateEntries,
        entities: StateEntries,
        histories: Callable[[], EntityHistories],
    ) -> None:
        self._entity: Entity = entity
        self._base, self._state, self._entities, self._histories = base, state, entities, histories
        self._of_shard: dict[str, ShardFeatures] = {}

    def of(self, ctx: Any) -> ShardFeatures:  # noqa: ANN401
        """Return those of the shard whose record is being handled."""
        shard = ctx.get_current_key()
        found = self._of_shard.get(shard)
        if found is None:
            found = ShardFeatures(self._entity, self._base, self._state, self._histories(), self._entities)
            self._of_shard[shard] = found
        return found

    def take(self, rows: Iterable[FeatureDefinition], ctx: Any) -> None:  # noqa: ANN401
        """Take rows of ``feature_definition`` for that shard."""
        self.of(ctx).take(rows, self._histories(), self._entities)
