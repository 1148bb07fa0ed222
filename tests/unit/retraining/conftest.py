"""The loop's surroundings: real Iceberg tables in a folder, a real PostgreSQL, and MLflow's part in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from connectors.data.dataset import open_dataset
from connectors.postgres.metadata_store import MetadataStore
from connectors.postgres.retraining_decision import RetrainingDecision
from connectors.postgres.retraining_log import RetrainingLog
from jobs.retraining.retraining_cycle import RetrainingCycle
from jobs.retraining.retraining_order import RetrainingOrder
from jobs.retraining.table_evidence import TableEvidence
from jobs.retraining.table_trainer import TableTrainer
from jobs.training.training_course import Example
from jobs.training.training_examples import examples_of
from model_store.model_version import ModelVersion
from model_store.registry import ARTIFACT_PATH, RECORD_PATH, SOURCE_PATH
from model_store.training_record import TrainingRecord
from tests.unit.iceberg.conftest import Tables
from tests.unit.iceberg.conftest import tables as tables
from tests.unit.postgres.conftest import dsn as dsn
from tests.unit.postgres.conftest import postgres as postgres
from udfs.domain.feature_set import FEATURE_SETS, FeatureSet
from udfs.domain.promotion_policy import PromotionPolicy

FEATURES = FEATURE_SETS["handbook"]
POLICY = PromotionPolicy(min_positives=5, min_scored=200, max_positives=400)


class Registry:
    """What MLflow and the trigger in its tables do: an alias is an activation."""

    def __init__(self, store: MetadataStore) -> None:
        self.store = store
        self.records: list[TrainingRecord] = []
        self.aliases: dict[str, str] = {}
        self.tags: dict[str, dict[str, str]] = {}

    def check_experiment(self, model: str) -> None:
        """No experiment is deleted here."""

    def register(self, model: str, record: TrainingRecord) -> ModelVersion:
        self.records.append(record)
        return self.version(model, str(len(self.records)))

    def version(self, model: str, version: str) -> ModelVersion:
        record = self.records[int(version) - 1]
        return ModelVersion(model, version, record.digest, record.threshold, record.algorithm, "", (), version, 0)

    def versions(self, model: str) -> list[ModelVersion]:
        return [self.version(model, str(number)) for number in range(len(self.records), 0, -1)]

    def load_file(self, run_id: str, path: str) -> bytes:
        import orjson

        record = self.records[int(run_id) - 1]
        files = {
            ARTIFACT_PATH: record.artifact,
            SOURCE_PATH: record.source,
            RECORD_PATH: orjson.dumps(record.described()),
        }
        return files[path]

    def features(self, version: str) -> FeatureSet:
        """Return what a version was trained on, as its record says."""
        defined = self.records[int(version) - 1].feature_definition
        assert defined is not None
        return FeatureSet.of_row(**defined)

    def set_tags(self, model: str, version: str, tags: dict[str, str]) -> None:
        self.tags.setdefault(version, {}).update(tags)

    def set_alias(self, model: str, role: str, version: str) -> None:
        self.aliases[role] = version
        digest, why = self.records[int(version) - 1].digest, self.tags[version].get("weir.why", "")
        self.store.activate(model, version, digest, role=role, why=why)

    def remove_alias(self, model: str, role: str) -> None:
        version = self.aliases.pop(role)
        self.store.activate(model, version, self.records[int(version) - 1].digest, role=role, retired=True)


@dataclass
class Loop:
    """The stream's record so far, and rounds of the loop over it."""

    tables: Tables
    registry: Registry
    store: MetadataStore
    log: RetrainingLog
    examples: Sequence[Example]
    features: FeatureSet = FEATURES
    """Of the examples, and of what no version scored."""
    at: int = 0
    waiting: list[Example] = field(default_factory=list)

    def stream(self, count: int, spoil: Callable[[Example, str], dict[str, float]] | None = None) -> None:
        """Let transactions come, scored by whoever plays a role, and the truths that are known by the last of them."""
        new = self.examples[self.at : self.at + count]
        assert len(new) == count
        self.at += count
        self.waiting += new
        deployed = {each.role: each for each in self.store.deployments("fraud") if not each.retired}
        played = {role: (each.version, each.digest) for role, each in deployed.items()} or {"champion": (None, None)}
        for role, (version, digest) in played.items():
            known = self.features if version is None else self.registry.features(version)
            self.tables.infer(
                *(
                    {
                        "transaction_id": each.transaction_id,
                        "event_time_ms": each.event_time_ms,
                        "role": role,
                        "version": version,
                        "digest": digest,
                        "score": None if version is None else 0.5,
                        "feature_set": known.label,
                        "features": {name: each.vector[name] for name in known.features},
                    }
                    for each in new
                )
            )
        now_ms = new[-1].event_time_ms
        told = [each for each in self.waiting if (each.truth_time_ms or 0) <= now_ms]
        self.waiting = [each for each in self.waiting if (each.truth_time_ms or 0) > now_ms]
        self.tell(told)

    def tell(self, examples: Sequence[Example], revision: int = 0, flip: bool = False) -> None:
        self.tables.tell(
            *(
                {
                    "transaction_id": each.transaction_id,
                    "event_time_ms": each.event_time_ms,
                    "label": 1 - int(each.label or 0) if flip else each.label,
                    "truth_time_ms": each.truth_time_ms,
                    "revision": revision,
                }
                for each in examples
            )
        )

    def order(self, **changes: Any) -> RetrainingOrder:
        return replace(RetrainingOrder("fraud", "handbook", algorithm="logistic-regression", policy=POLICY), **changes)

    def round(self, **changes: Any) -> list[RetrainingDecision]:
        catalog = self.tables.catalog
        registry: Any = self.registry
        cycle = RetrainingCycle(
            self.order(**changes),
            registry,
            self.store,
            self.log,
            TableEvidence(catalog, self.store),
            TableTrainer(catalog, registry, self.store),
        )
        return cycle.run()

    def roles(self) -> dict[str, str]:
        return {each.role: each.version for each in self.store.deployments("fraud") if not each.retired}


@pytest.fixture(scope="session")
def examples() -> list[Example]:
    """Generated transactions, each truth a day later."""
    return list(examples_of(open_dataset("generator", rows=9_000, seed=4, truth_delay_ms=86_400_000), FEATURES))


@pytest.fixture
def loop(tables: Tables, dsn: str, examples: list[Example]) -> Loop:
    store = MetadataStore(dsn)
    return Loop(tables, Registry(store), store, RetrainingLog(dsn), examples)
