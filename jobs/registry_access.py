"""The registry's two halves as the settings describe them: MLflow, and the tables in PostgreSQL."""

from __future__ import annotations

import psycopg

from connectors.local.ports import Ports
from connectors.postgres.metadata_store import MetadataStore
from jobs.settings import Settings
from model_store.registry import Registry

__all__ = ["dsn_of", "metadata_store_of", "registry_of"]


def registry_of(settings: Settings) -> Registry:
    """Return a client of the stack's MLflow; nothing is asked yet."""
    return Registry(Ports(settings.port_base).addresses()["mlflow"])


def metadata_store_of(settings: Settings) -> MetadataStore:
    """Return the registry's tables, as their owner; nothing is asked yet."""
    return MetadataStore(dsn_of(settings))


def dsn_of(settings: Settings, user: str = "weir") -> str:
    """Return the address of the registry's database for its owner, or for the role of one program."""
    return psycopg.conninfo.make_conninfo(
        host="127.0.0.1",
        port=Ports(settings.port_base).postgres,
        user=user,
        password=settings.postgres_password.get_secret_value(),
        dbname="weir",
        connect_timeout=5,
    )
