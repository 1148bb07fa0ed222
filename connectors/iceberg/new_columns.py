"""Gives a table that exists the columns its file has gained since: their rows so far have null there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from connectors.iceberg.errors import iceberg_errors
from connectors.iceberg.warehouse import NAMESPACE
from connectors.statement import statement

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

__all__ = ["add_new_columns"]

COLUMN = re.compile(r"^  `(\w+)` (\w+)", re.MULTILINE)


def add_new_columns(catalog: Catalog, table: str) -> list[str]:
    """Add what ``sql/tables/<table>.sql`` has and the table has not; return the names.

    Parameters
    ----------
    table
        Name in the namespace ``weir``; one that does not exist is left to the job that makes it.

    Raises
    ------
    TablesError, ConnectionLostError
        When the table cannot be changed.
    """
    from pyiceberg import types

    kinds = {
        "STRING": types.StringType(),
        "INT": types.IntegerType(),
        "BIGINT": types.LongType(),
        "DOUBLE": types.DoubleType(),
        "BOOLEAN": types.BooleanType(),
        "DATE": types.DateType(),
    }
    with iceberg_errors(f"add columns to {NAMESPACE}.{table}"):
        if not catalog.table_exists((NAMESPACE, table)):
            return []
        loaded = catalog.load_table((NAMESPACE, table))
        there = {field.name for field in loaded.schema().fields}
        text = statement(f"tables/{table}.sql", properties="")
        new = {name: kinds[kind] for name, kind in COLUMN.findall(text) if name not in there}
        if new:
            with loaded.update_schema() as change:
                for name, kind in new.items():
                    change.add_column(name, kind)
    return list(new)
