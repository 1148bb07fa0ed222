"""Where the Iceberg tables are: a catalog in PostgreSQL, files on S3. It holds no secret."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CATALOG", "NAMESPACE", "TABLES", "Warehouse"]

CATALOG = "iceberg"
"""Name of the catalog in Flink SQL, and in the catalog's own rows."""
NAMESPACE = "weir"
TABLES = ("transactions", "truths", "inferences", "model_quality", "alerts", "model_events", "dead_letters")
"""Each is filled from the topic of its name."""


@dataclass(frozen=True, slots=True)
class Warehouse:
    """The addresses that clients need.

    Parameters
    ----------
    postgres
        ``host:port`` of the catalog; its database is ``weir``, its role ``iceberg``.
    s3
        Endpoint of the S3 service, a URL.
    location
        Where tables are put.

    Examples
    --------
    >>> Warehouse("127.0.0.1:19032", "http://127.0.0.1:19090").location
    's3://warehouse'
    """

    postgres: str
    s3: str
    location: str = "s3://warehouse"
