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
    """Return where the tables are kept: on the local stack, unless settings say otherwise. Nothing is asked yet."""
    ports = Ports(settings.port_base)
    certificate = settings.postgres_root_cert
    return Warehouse(
        postgres=f"{settings.postgres_host}:{settings.postgres_port or ports.postgres}",
        s3=settings.s3_endpoint or ports.addresses()["s3"],
        sslmode=settings.postgres_sslmode,
        sslrootcert="" if certificate is None else str(certificate.absolute()),
    )


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
