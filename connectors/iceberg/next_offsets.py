"""How far a topic is in its table: the offsets after the last committed ones, from the table itself.

The tables job starts there, whatever became of its predecessor. What a checkpoint commits is, of each partition, all
records up to one, so the greatest offset in the table says everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.iceberg.errors import iceberg_errors
from connectors.iceberg.warehouse import NAMESPACE

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

__all__ = ["FLOOR", "next_offsets"]

PARTITION, OFFSET = "topic_partition", "topic_offset"
FLOOR = "weir.next-offset."
"""Property of a table, a partition's number behind it: rows before this offset were there, though they may be erased."""


def next_offsets(catalog: Catalog, table: str) -> dict[int, int]:
    """Return the first offset that is not in the table, by partition; partitions without a row are left out.

    Files are looked at from the greatest offset down, and one that its statistics say cannot hold a greater one is not
    read: of a large table these are the newest few.

    Parameters
    ----------
    table
        Name in the namespace ``weir``; a table that does not exist has no rows.

    Raises
    ------
    ConnectionLostError
        When PostgreSQL or S3 does not answer.
    """
    found: dict[int, int] = {}
    floors: dict[int, int] = {}
    with iceberg_errors(f"read how far {NAMESPACE}.{table} is"):
        if not catalog.table_exists((NAMESPACE, table)):
            return {}
        loaded = catalog.load_table((NAMESPACE, table))
        kept = {name: value for name, value in loaded.properties.items() if name.startswith(FLOOR)}
        floors = {int(name.removeprefix(FLOOR)): int(value) for name, value in kept.items()}
        ranges = [(task.file, *_bounds(loaded, task.file)) for task in loaded.scan().plan_files()]
        for file, partitions, greatest in sorted(ranges, key=lambda each: -each[2]):
            if all(found.get(partition, -1) >= greatest for partition in partitions):
                continue
            for partition, offset in _newest(loaded, file).items():
                found[partition] = max(found.get(partition, -1), offset)
    ends = {partition: offset + 1 for partition, offset in found.items()}
    return {partition: max(ends.get(partition, 0), floors.get(partition, 0)) for partition in sorted(ends | floors)}


def _newest(table: Any, file: Any) -> dict[int, int]:  # noqa: ANN401
    """Return the greatest offset of each partition in a file; two columns of it are read."""
    import pyarrow.parquet as parquet

    with table.io.new_input(file.file_path).open() as stream:
        rows = parquet.read_table(stream, columns=[PARTITION, OFFSET])
    newest = rows.group_by(PARTITION).aggregate([(OFFSET, "max")]).to_pydict()
    return dict(zip(newest[PARTITION], newest[f"{OFFSET}_max"], strict=True))


def _bounds(table: Any, file: Any) -> tuple[range, int]:  # noqa: ANN401
    """Return the partitions a file may hold records of, and its greatest offset, from the file's statistics."""
    from pyiceberg.conversions import from_bytes

    def bound(bounds: dict[int, bytes], name: str) -> int:
        field = table.schema().find_field(name)
        return int(from_bytes(field.field_type, bounds[field.field_id]))

    partitions = range(bound(file.lower_bounds, PARTITION), bound(file.upper_bounds, PARTITION) + 1)
    return partitions, bound(file.upper_bounds, OFFSET)
