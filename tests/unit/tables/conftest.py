"""An Iceberg catalog of pyiceberg's own, over SQLite and a folder."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog

from connectors.iceberg.parquet_writing import parquet_writing

SCHEMA = pa.schema(
    {
        "transaction_id": pa.string(),
        "customer_id": pa.string(),
        "topic_partition": pa.int32(),
        "topic_offset": pa.int64(),
    }
)


@pytest.fixture
def catalog(tmp_path):
    catalog = SqlCatalog("iceberg", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=f"file://{tmp_path}/warehouse")
    catalog.create_namespace("weir")
    with parquet_writing():
        yield catalog
    catalog.engine.dispose()


def rows(positions, customer="c"):
    """Return a table of rows at (partition, offset) positions."""
    columns = list(zip(*positions, strict=True)) or [(), ()]
    ids = [f"t{partition}-{offset}" for partition, offset in positions]
    return pa.table([ids, [customer] * len(ids), *columns], schema=SCHEMA)
