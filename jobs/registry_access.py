"""The registry's two halves as the settings describe them: MLflow, and the tables in PostgreSQL."""

from __future__ import annotations

from functools import partial

import psycopg

from connectors.local.ports import Ports
from connectors.postgres.metadata_store import MetadataStore
from connectors.postgres.role_password import role_password
from jobs.settings import Settings
from model_store.registry import Registry
from model_store.signature import sign_digest

__all__ = ["dsn_of", "metadata_store_of", "registry_of"]


def registry_of(settings: Settings) -> Registry:
    """Return a client of the stack's MLflow; nothing is asked yet."""
    return Registry(Ports(settings.port_base).addresses()["mlflow"])


def metadata_store_of(settings: Settings) -> MetadataStore:
    """Return the registry's tables, as their owner; it signs artifacts when there is a key; nothing is asked yet."""
    key = settings.signing_key
    return MetadataStore(dsn_of(settings), None if key is None else partial(sign_digest, key.get_secret_value()))


def dsn_of(settings: Settings, user: str = "weir") -> str:
    """Return the address of the registry's database for its owner, or for the role of one program."""
    return psycopg.conninfo.make_conninfo(
        host=settings.postgres_host,
        port=settings.postgres_port or Ports(settings.port_base).postgres,
        user=user,
        password=role_password(settings.postgres_password.get_secret_value(), user),
        dbname="weir",
        connect_timeout=5,
        sslmode=settings.postgres_sslmode,
        sslrootcert=None if settings.postgres_root_cert is None else str(settings.postgres_root_cert.absolute()),
    )
