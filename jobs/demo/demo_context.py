"""What every part of a demo needs at hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from connectors.kafka.reader import read_topic
from connectors.kafka.record import Record
from connectors.local.flink_rest import FlinkRest
from connectors.local.stack import LocalStack
from connectors.postgres.metadata_store import MetadataStore
from jobs.demo.demo_view import DemoView
from jobs.demo.plan import DemoPlan
from jobs.registry_access import metadata_store_of, registry_of
from jobs.settings import Settings
from jobs.training.train_version import TrainedVersion
from model_store.registry import Registry

__all__ = ["DemoContext"]


@dataclass(frozen=True, slots=True)
class DemoContext:
    """A demo under way.

    Parameters
    ----------
    plan
        What it does.
    settings
        Of the stack and of the job, fitted to the plan.
    stack
        The local stack, up.
    view
        Where it tells what it does.
    trained
        The versions trained so far, by name.
    """

    plan: DemoPlan
    settings: Settings
    stack: LocalStack
    view: DemoView
    trained: dict[str, TrainedVersion] = field(default_factory=dict)

    @property
    def bootstrap(self) -> str:
        """Address of the broker."""
        return self.stack.ports.addresses()["kafka"]

    @property
    def flink(self) -> FlinkRest:
        """Flink's REST interface."""
        return FlinkRest(self.stack.ports.addresses()["flink"])

    @property
    def registry(self) -> Registry:
        """MLflow."""
        return registry_of(self.settings)

    @property
    def store(self) -> MetadataStore:
        """The registry's tables."""
        return metadata_store_of(self.settings)

    def read(self, topic: str, **options: object) -> Iterator[Record]:
        """Yield the committed records of a topic; see :func:`connectors.kafka.reader.read_topic`."""
        return read_topic(self.bootstrap, topic, **options)  # type: ignore[arg-type]
