"""Where the Iceberg tables are: a catalog in PostgreSQL, files on S3. It holds no secret."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

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
        Endpoint of the S3 service, a URL; ``https://`` for TLS.
    location
        Where tables are put.
    sslmode, sslrootcert
        How PostgreSQL is spoken to, as libpq and its JDBC driver name it; the file signed the server's certificate.

    Examples
    --------
    >>> Warehouse("127.0.0.1:19032", "http://127.0.0.1:19090").location
    's3://warehouse'
    """

    postgres: str
    s3: str
    location: str = "s3://warehouse"
    sslmode: str = "prefer"
    sslrootcert: str = ""

    @property
    def tls(self) -> str:
        """The last parameters of PostgreSQL's address, for libpq and the JDBC driver alike.

        Examples
        --------
        >>> Warehouse("db:5432", "https://s3", sslmode="verify-full", sslrootcert="/etc/ca.pem").tls
        'sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem'
        """
        return urlencode({"sslmode": self.sslmode} | ({"sslrootcert": self.sslrootcert} if self.sslrootcert else {}))
