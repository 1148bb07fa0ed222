"""What the page shows of the registry: roles, versions that could have one, and the notifier's queue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from connectors.postgres.metadata_store import MetadataStore
from connectors.postgres.notification_queue import NotificationQueue
from model_store.registry import Registry
from udfs.domain.errors import WeirError

__all__ = ["RegistryView"]

SHOWN_HISTORY = 12


class RegistryView:
    """Reads the registry's tables and MLflow; a part that does not answer keeps what was read last, and says so.

    Parameters
    ----------
    model
        The registered model of the stream.
    store, registry
        The tables, and MLflow.
    queue
        The notifier's queue, for its owner.
    """

    def __init__(self, model: str, store: MetadataStore, registry: Registry, queue: NotificationQueue) -> None:
        self._model, self._store, self._registry, self._queue = model, store, registry, queue
        self._held: dict[str, Any] = {"deployments": [], "history": [], "versions": [], "notifications": None}

    def close(self) -> None:
        """Leave the database."""
        self._queue.close()

    def document(self) -> tuple[dict[str, Any], list[str]]:
        """Return ``deployments``, ``history``, ``versions`` and ``notifications``, and what is wrong, in sentences."""
        parts: dict[str, Callable[[], Any]] = {
            "deployments": lambda: [asdict(each) for each in self._store.deployments(self._model)],
            "history": lambda: [asdict(each) for each in self._store.history(self._model, SHOWN_HISTORY)],
            "versions": self._versions,
            "notifications": self._queue.counts,
        }
        troubles = []
        for name, read in parts.items():
            try:
                self._held[name] = read()
            except WeirError as error:
                troubles.append(str(error))
        return dict(self._held), sorted(set(troubles))

    def _versions(self) -> list[dict[str, Any]]:
        found = self._registry.versions(self._model)
        names = ("version", "algorithm", "feature_set", "threshold", "roles", "created_ms", "data", "note")
        return [{name: getattr(each, name) for name in names} for each in found]
