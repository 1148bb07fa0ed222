"""The plain values an API is made from; they travel to the replicas, which make their own services of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from jobs.serving.limits import Limits

__all__ = ["ServingPlan"]


@dataclass(frozen=True, slots=True)
class ServingPlan:
    """What to serve, and where everything behind it is.

    Parameters
    ----------
    model
        The registered model of the stream.
    feature_set
        Name of the stream's feature set.
    bootstrap
        Kafka, ``host:port``.
    dsn
        The registry's database.
    mlflow, flink
        Addresses of MLflow, and of Flink's REST interface.
    token
        What a client must carry; None asks for nothing.
    limits
        Bounds of a request.
    trusted_keys
        Public keys one of which must have signed an artifact; empty takes all.
    payload
        How transactions are written to the stream.
    """

    model: str
    feature_set: str
    bootstrap: str
    dsn: str = field(repr=False)
    mlflow: str
    flink: str = ""
    token: str | None = field(default=None, repr=False)
    limits: Limits = field(default_factory=Limits)
    trusted_keys: str = ""
    payload: Literal["json", "avro"] = "json"
