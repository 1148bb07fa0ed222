"""What the routes stand on: followed topics, the registry, the stream. One set for each process that serves."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from connectors.kafka.follower import TopicFollower
from connectors.kafka.record import Record
from connectors.kafka.sender import Sender
from connectors.kafka.topic_search import TopicSearch
from connectors.postgres.metadata_store import MetadataStore
from jobs.explaining.recorded_inferences import recorded_inferences
from jobs.serving.answer_desk import AnswerDesk
from jobs.serving.quality_board import QualityBoard
from jobs.serving.serving_metrics import ServingMetrics
from jobs.serving.serving_plan import ServingPlan
from jobs.serving.stream_scorer import StreamScorer
from model_store.compiled_scorer import warm_up
from model_store.live_versions import LiveVersions
from model_store.registry import Registry
from udfs.domain.feature_catalog import FeatureCatalog
from udfs.domain.feature_set import FeatureSet

__all__ = ["Services", "build_services"]


@dataclass
class Services:
    """Everything behind the routes.

    Parameters
    ----------
    feature_set
        The stream's.
    live
        The accepted versions, loaded.
    store
        The registry's tables; each call opens a connection of its own.
    registry
        MLflow.
    metrics
        What Prometheus reads.
    sender, stream
        The ways into the stream: truths, and transactions that wait for their score.
    inferences
        Returns the committed inferences of a transaction, the champion's first.
    quality
        The newest rows of ``model_quality``.
    followers
        Topics that are followed, by name; ``weir.metadata`` must have been read before the API is ready.
    """

    feature_set: FeatureSet
    live: LiveVersions
    store: MetadataStore
    registry: Registry
    sender: Sender
    stream: StreamScorer
    inferences: Callable[[str], list[dict[str, Any]]]
    quality: QualityBoard = field(default_factory=QualityBoard)
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
        self.sender.close()

    def not_ready_because(self) -> str | None:
        """Return why predictions cannot be answered yet, in a sentence; None when they can."""
        follower = self.followers.get("weir.metadata")
        if follower is None or follower.caught_up:
            return None
        return follower.trouble or "The deployments are still being read from the topic weir.metadata."

    def stream_trouble(self) -> str | None:
        """Return why an answer of the stream would be missed, in a sentence; None when it would not."""
        for name in ("inferences", "dead_letters"):
            follower = self.followers.get(name)
            if follower is not None and not follower.caught_up:
                return follower.trouble or f"The topic {name} is not followed yet."
        return None

    def troubles(self) -> dict[str, str]:
        """Return what is wrong with the followed topics at the moment, by topic."""
        return {name: each.trouble for name, each in self.followers.items() if each.trouble}


def build_services(plan: ServingPlan) -> Services:
    """Make the services of a process; nothing is connected before :meth:`Services.start`."""
    live = LiveVersions(plan.model, trusted_keys=plan.trusted_keys)
    desk, sender, quality = AnswerDesk(), Sender(plan.bootstrap, plan.payload), QualityBoard()

    def judge(record: Record) -> None:
        live.take(None if record.value is None else record.value.decode(errors="replace"), _now_ms())

    follow = partial(TopicFollower, plan.bootstrap)
    followers = (
        ("weir.metadata", follow("weir.metadata", judge, tick=lambda: live.time_passed(_now_ms()))),
        ("inferences", follow("inferences", desk.take_inference, committed=False, from_end=True)),
        ("dead_letters", follow("dead_letters", desk.take_dead_letter, committed=False, from_end=True)),
        ("model_quality", follow("model_quality", quality.take)),
    )
    return Services(
        feature_set=FeatureCatalog.of_code(plan.feature_set),
        live=live,
        store=MetadataStore(plan.dsn),
        registry=Registry(plan.mlflow),
        sender=sender,
        stream=StreamScorer(sender, desk, plan.limits.max_waiting),
        inferences=partial(_inferences, plan.bootstrap),
        quality=quality,
        followers=dict(followers),
    )


def _inferences(bootstrap: str, transaction_id: str) -> list[dict[str, Any]]:
    with TopicSearch(bootstrap) as topics:
        return recorded_inferences(topics, transaction_id)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
