"""The tags of a table: names that keep a snapshot, such as the one a version was trained on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from connectors.iceberg.errors import iceberg_errors
from connectors.iceberg.warehouse import NAMESPACE
from udfs.domain.errors import TablesError

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

__all__ = ["newest_tag"]

NAME = re.compile(r"[\w.@:+-]+")


def newest_tag(catalog: Catalog, table: str, wanted: str | None = None) -> str | None:
    """Return the tag of the newest tagged snapshot, None when there is none; or check that a wanted one is there.

    Raises
    ------
    TablesError
        When the wanted tag is not there.
    ConnectionLostError
        When PostgreSQL or S3 does not answer.
    """
    with iceberg_errors(f"read the tags of {NAMESPACE}.{table}"):
        there = catalog.table_exists((NAMESPACE, table))
        metadata = catalog.load_table((NAMESPACE, table)).metadata if there else None
    times = {each.snapshot_id: each.timestamp_ms for each in metadata.snapshots} if metadata else {}
    refs = metadata.refs.items() if metadata else ()
    tags = {
        name: times[ref.snapshot_id]
        for name, ref in refs
        if ref.snapshot_ref_type == "tag" and NAME.fullmatch(name) and ref.snapshot_id in times
    }
    if wanted is not None and wanted not in tags:
        msg = f"{NAMESPACE}.{table} has no tag {wanted!r}; it has: {', '.join(sorted(tags)) or 'none'}."
        raise TablesError(msg)
    return wanted or max(tags, key=lambda name: tags[name], default=None)
