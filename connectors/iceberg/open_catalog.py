"""Opens the catalog of the Iceberg tables for pyiceberg."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from connectors.iceberg.errors import iceberg_errors
from connectors.iceberg.warehouse import CATALOG, Warehouse

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

__all__ = ["open_catalog"]


def open_catalog(warehouse: Warehouse, password: str, access_key: str, secret_key: str) -> Catalog:
    """Return the catalog; ``catalog.load_table("weir.inferences")`` then is a table.

    Parameters
    ----------
    password
        Of the role ``iceberg``.
    access_key, secret_key
        The key pair of the S3 endpoint.

    Raises
    ------
    ConnectionLostError
        When PostgreSQL does not answer or refuses the log-in.
    """
    from pyiceberg.catalog.sql import SqlCatalog

    database = f"{warehouse.postgres}/weir?connect_timeout=5&{warehouse.tls}"
    login = f"postgresql+psycopg://iceberg:{quote(password, safe='')}@{database}"
    properties = {
        "uri": login,
        "init_catalog_tables": "false",
        "pool_pre_ping": "true",
        "warehouse": warehouse.location,
        "py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO",
        "s3.endpoint": warehouse.s3,
        "s3.region": "us-east-1",
        "s3.access-key-id": access_key,
        "s3.secret-access-key": secret_key,
    }
    with iceberg_errors("open the catalog of the tables"):
        return SqlCatalog(CATALOG, **properties)
