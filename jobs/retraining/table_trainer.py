"""Makes the next version from the tables: looks first what there is to learn, tags it, and trains."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connectors.iceberg.training_snapshot import TrainingSnapshot
from connectors.postgres.activation_record import ActivationRecord
from connectors.postgres.metadata_store import MetadataStore
from jobs.features.feature_rows import feature_set_named, feature_set_of_version
from jobs.retraining.retraining_order import RetrainingOrder
from jobs.training.algorithms import algorithm_of
from jobs.training.open_table_rows import open_table_rows
from jobs.training.table_rows import TableRows
from jobs.training.train_version import DEFAULT_ALGORITHM, TrainedVersion, train_version
from model_store.artifact import Artifact
from model_store.registry import Registry
from udfs.domain.feature_set import FeatureSet

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

__all__ = ["TableTrainer", "TrainingPlan"]


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What a version would learn.

    Parameters
    ----------
    rows
        All rows of the snapshot.
    feature_set, algorithm
        Label of the feature set, and name of the algorithm.
    parent
        The version to go on from; None to train anew.
    new, frauds
        Transactions to learn from, and how many of them are known as fraud.
    reason_to_skip
        Why there is nothing to do; None when there is.
    """

    rows: TableRows
    feature_set: str
    algorithm: str
    parent: str | None
    new: int
    frauds: int
    reason_to_skip: str | None

    @property
    def tag(self) -> str:
        """The tag that the snapshot has, or gets."""
        return str(self.rows.origin["tag"])


class TableTrainer:
    """Trains from the tables into the registry.

    Parameters
    ----------
    catalog, registry, store
        The tables, MLflow, and the registry's tables.
    progress
        Called with the number of transactions trained on.
    """

    def __init__(
        self,
        catalog: Catalog,
        registry: Registry,
        store: MetadataStore,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self._catalog, self._registry, self._store, self._progress = catalog, registry, store, progress

    def plan(self, order: RetrainingOrder, champion: ActivationRecord | None) -> TrainingPlan:
        """Look what there is to learn; nothing is tagged or trained.

        Raises
        ------
        SettingsError
            For an unknown algorithm or feature set, and empty tables.
        ConnectionLostError, TablesError, RegistryError
            As the tables and the registry raise them.
        """
        before = None if champion is None else self._registry.version(order.model, champion.version)
        header = None if before is None else Artifact.decode(self._store.load_artifact(before.digest)).header
        algorithm = order.algorithm or (before.algorithm if before else DEFAULT_ALGORITHM)
        supervised = algorithm_of(algorithm).supervised
        features = self._features(order, header)
        rows = open_table_rows(self._catalog, features, keep=False)
        learned = rows.for_kind(supervised=supervised)
        parent = None
        if before is not None and header is not None and not order.anew and before.algorithm == algorithm:
            if header["feature_set"]["hash"] == features.hash:
                parent = before.version
                learned = learned.after(header)
        new, frauds = len(learned), int((learned.rows.label == 1).sum())
        reason = None
        what = "labelled transactions" if supervised else "transactions"
        if new < order.min_new:
            since = f" that version {parent} does not know" if parent else ""
            reason = f"there are {new:,} {what}{since}, fewer than {order.min_new:,}"
        return TrainingPlan(rows, features.label, algorithm, parent, new, frauds, reason)

    def _features(self, order: RetrainingOrder, champion: Mapping[str, Any] | None) -> FeatureSet:
        if order.feature_set is None and champion is not None:
            return feature_set_of_version(champion, self._store.feature_rows)
        return feature_set_named(order.feature_set or order.first_feature_set, self._store.feature_rows)

    def train(self, order: RetrainingOrder, plan: TrainingPlan) -> TrainedVersion:
        """Tag the snapshot, train, and register; the version has no role yet.

        Raises
        ------
        WeirError
            As :func:`jobs.training.train_version.train_version` and the tables raise it.
        """
        TrainingSnapshot(plan.tag, plan.rows.origin["tables"]).tag_it(self._catalog)
        return train_version(
            plan.rows,
            registry=self._registry,
            store=self._store,
            model=order.model,
            algorithm=plan.algorithm,
            feature_set=plan.feature_set,
            seed=order.seed,
            alert_rate=order.alert_rate,
            parent=plan.parent,
            progress=self._progress,
        )
