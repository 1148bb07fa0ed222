"""What the routes stand on: followed topics, the registry, the stream. One set for each process that serves."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.kafka.follower import TopicFollower
from connectors.kafka.record import Record
from connectors.postgres.metadata_store import MetadataStore
from jobs.serving.serving_metrics import ServingMetrics
from jobs.serving.serving_plan import ServingPlan
from model_store.compiled_scorer import warm_up
from model_store.live_versions import LiveVersions
from model_store.registry import Registry

__all__ = ["Services", "build_services"]


@dataclass
class Services:
    """Everything behind the routes.

    Parameters
    ----------
    feature_set
        Name of the stream's feature set.
    live
        The accepted versions, loaded.
    store
        The registry's tables; each call opens a connection of its own.
    registry
        MLflow.
    metrics
        What Prometheus reads.
    followers
        Topics that are followed, by name; ``weir.metadata`` must have been read before the API is ready.
    """

    feature_set: str
    live: LiveVersions
    store: MetadataStore
    registry: Registry
    metrics: ServingMetrics = field(default_factory=ServingMetrics)
    followers: Mapping[str, TopicFollower] = field(default_factory=dict)

    def start(self) -> None:
        """Compile the kernels, then begin to follow; returns when requests can be answered."""
        warm_up()
        for follower in self.followers.values():
            follower.start()

    def stop(self) -> None:
        """End everything that :meth:`start` began."""
        for follower in self.followers.values():
            follower.stop()

    def not_ready_because(self) -> str | None:
        """Return why predictions cannot be answered yet, in a sentence; None when they can."""
        follower = self.followers.get("weir.metadata")
        if follower is None or follower.caught_up:
            return None
        return follower.trouble or "The deployments are still being read from the topic weir.metadata."

    def troubles(self) -> dict[str, str]:
        """Return what is wrong with the followed topics at the moment, by topic."""
        return {name: each.trouble for name, each in self.followers.items() if each.trouble}


def build_services(plan: ServingPlan) -> Services:
    """Make the services of a process; nothing is connected before :meth:`Services.start`."""
    live = LiveVersions(plan.model, trusted_keys=plan.trusted_keys)

    def judge(record: Record) -> None:
        live.take(None if record.value is None else record.value.decode(errors="replace"), _now_ms())

    metadata = TopicFollower(plan.bootstrap, "weir.metadata", judge, tick=lambda: live.time_passed(_now_ms()))
    return Services(
        feature_set=plan.feature_set,
        live=live,
        store=MetadataStore(plan.dsn),
        registry=Registry(plan.mlflow),
        followers={"weir.metadata": metadata},
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
