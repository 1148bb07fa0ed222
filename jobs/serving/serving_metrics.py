"""What the API tells Prometheus of itself."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

__all__ = ["ServingMetrics"]

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class ServingMetrics:
    """Counters of one process, in a registry of their own.

    Attributes
    ----------
    requests
        By method, route and status.
    seconds
        From a request's first byte to its answer's last, by route.
    scores
        Scores given by the API itself, by version; those without a score by their reason.
    streamed
        Transactions sent through the stream, by outcome.
    deployment_seq
        How far the deployments have been followed.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "weir_api_requests", "Requests answered", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "weir_api_seconds", "Time to answer", ("route",), buckets=BUCKETS_S, registry=self.registry
        )
        self.scores = Counter("weir_api_scores", "Scores given", ("version", "reason"), registry=self.registry)
        self.streamed = Counter(
            "weir_api_streamed", "Transactions through the stream", ("outcome",), registry=self.registry
        )
        self.deployment_seq = Gauge(
            "weir_api_deployment_seq", "The newest deployment that was judged", registry=self.registry
        )

    def exposition(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self.registry)
