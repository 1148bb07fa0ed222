"""Erases a customer from the tables: his rows, the snapshots and tags that still hold them, and their files.

The tables job must not run meanwhile: it counts on its own snapshots. What erasure costs: a version trained from a tag that
is removed here cannot be trained again from that tag, and its record says so by then naming a tag that is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

from connectors.iceberg.errors import iceberg_errors
from connectors.iceberg.next_offsets import FLOOR, next_offsets
from connectors.iceberg.parquet_writing import parquet_writing
from connectors.iceberg.warehouse import NAMESPACE

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

__all__ = ["Erasure"]

OF_CUSTOMER = ("transactions", "truths")
OF_TRANSACTION = ("inferences", "alerts")


@dataclass(slots=True)
class Erasure:
    """What is, or was, erased of one customer.

    Parameters
    ----------
    customer_id
        As in the topics.
    transactions
        His transaction ids.
    rows
        How many rows of each table are his.
    tags
        Tags of each table that hold such rows, or may: all older than the erasure.
    files
        How many files were removed.
    """

    customer_id: str
    transactions: set[str] = field(default_factory=set)
    rows: dict[str, int] = field(default_factory=dict)
    tags: dict[str, list[str]] = field(default_factory=dict)
    files: int = 0

    @classmethod
    def find(cls, catalog: Catalog, customer_id: str) -> Erasure:
        """Count what there is of a customer and change nothing.

        Raises
        ------
        TablesError
            When a table is not there.
        ConnectionLostError
            When PostgreSQL or S3 does not answer.
        """
        found = cls(customer_id)
        with iceberg_errors("read the tables"):
            for name in OF_CUSTOMER:
                rows = _rows(catalog, name, found, ("transaction_id",))
                found.transactions |= set(rows["transaction_id"].to_pylist())
            for name in (*OF_CUSTOMER, *OF_TRANSACTION):
                table = catalog.load_table((NAMESPACE, name))
                found.rows[name] = len(_rows(catalog, name, found, ("topic_offset",)))
                found.tags[name] = sorted(n for n, ref in table.metadata.refs.items() if ref.snapshot_ref_type == "tag")
        return found

    def carry_out(self, catalog: Catalog, progress: Callable[[int], None] = lambda _: None) -> None:
        """Erase it from each table; safe to begin again after an interruption.

        Raises
        ------
        TablesError
            When another writer is at work.
        ConnectionLostError
            When PostgreSQL or S3 does not answer.
        """
        for done, name in enumerate(
            (*OF_TRANSACTION, *OF_CUSTOMER)
        ):  # what names him last: it is asked when begun again
            with iceberg_errors(f"erase from {NAMESPACE}.{name}"), parquet_writing():
                self._erase(catalog, name)
            progress(done + 1)

    def _erase(self, catalog: Catalog, name: str) -> None:
        table = catalog.load_table((NAMESPACE, name))
        before = set(_files(table))
        # The rows at the end of the topic may be his: the job must not take them from the topic again.
        floors = {f"{FLOOR}{partition}": str(offset) for partition, offset in next_offsets(catalog, name).items()}
        with table.transaction() as change:
            change.set_properties(floors)
        if self.rows[name]:
            table.delete(_condition(name, self))
        table = table.refresh()
        for tag in self.tags[name]:
            table.manage_snapshots().remove_tag(tag).commit()
        table.maintenance.expire_snapshots().older_than(datetime.now(UTC)).commit()
        table = table.refresh()
        for path in sorted(before - set(_files(table))):
            table.io.delete(path)
            self.files += 1


def _condition(name: str, erasure: Erasure) -> Any:  # noqa: ANN401
    expressions: Any = import_module("pyiceberg.expressions")

    if name in OF_CUSTOMER:
        return expressions.EqualTo("customer_id", erasure.customer_id)
    return expressions.In("transaction_id", erasure.transactions)


def _rows(catalog: Catalog, name: str, erasure: Erasure, columns: tuple[str, ...]) -> Any:  # noqa: ANN401
    table = catalog.load_table((NAMESPACE, name))
    return table.scan(row_filter=_condition(name, erasure), selected_fields=columns).to_arrow()


def _files(table: Any) -> Iterator[str]:  # noqa: ANN401
    """Return every file with rows, or with the least and greatest values of rows, that a snapshot refers to."""
    seen: set[str] = set()
    for snapshot in table.metadata.snapshots:
        yield snapshot.manifest_list
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path not in seen:
                seen.add(manifest.manifest_path)
                yield manifest.manifest_path
                yield from (
                    entry.data_file.file_path for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True)
                )
