"""Makes a watch of the addresses of its topics, registry and job."""

from __future__ import annotations

from typing import Any

from connectors.local.flink_rest import FlinkRest
from connectors.postgres.metadata_store import MetadataStore
from connectors.postgres.notification_queue import NotificationQueue
from jobs.job_figures import job_figures
from jobs.submission import ACTIVE, JOB_NAME
from jobs.watching.registry_view import RegistryView
from jobs.watching.watch import Watch
from model_store.registry import Registry

__all__ = ["open_watch"]


def open_watch(model: str, bootstrap: str, dsn: str, mlflow: str, flink: str) -> Watch:
    """Return a watch; nothing is connected yet.

    Parameters
    ----------
    model
        The registered model of the stream.
    bootstrap
        Kafka, ``host:port``.
    dsn
        The registry's database, for its owner.
    mlflow, flink
        Their addresses.
    """
    view = RegistryView(model, MetadataStore(dsn), Registry(mlflow), NotificationQueue(dsn))
    client = FlinkRest(flink, timeout_s=3.0)
    return Watch(bootstrap, model, view, lambda: _figures(client))


def _figures(flink: FlinkRest) -> dict[str, Any] | None:
    for job in flink.jobs():
        if job["name"] == JOB_NAME and job["state"] in ACTIVE:
            try:
                return job_figures(flink, str(job["jid"]))
            except (KeyError, StopIteration):
                return None  # it is just starting or stopping: not all of its stages are there
    return None
