"""The tables as the settings describe them: their addresses, and their catalog for Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.iceberg.open_catalog import open_catalog
from connectors.iceberg.warehouse import Warehouse
from connectors.local.ports import Ports
from connectors.postgres.role_password import role_password
from jobs.settings import Settings

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

__all__ = ["catalog_of", "warehouse_of"]


def warehouse_of(settings: Settings) -> Warehouse:
    """Return where the stack keeps the tables; nothing is asked yet."""
    ports = Ports(settings.port_base)
    return Warehouse(postgres=f"127.0.0.1:{ports.postgres}", s3=ports.addresses()["s3"])


def catalog_of(settings: Settings) -> Catalog:
    """Open the catalog of the stack's tables for pyiceberg.

    Raises
    ------
    ConnectionLostError
        When PostgreSQL does not answer.
    """
    password = role_password(settings.postgres_password.get_secret_value(), "iceberg")
    return open_catalog(
        warehouse_of(settings), password, settings.s3_access_key, settings.s3_secret_key.get_secret_value()
    )
