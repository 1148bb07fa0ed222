"""A training set as Iceberg knows it: the same tag on a snapshot of inferences, truths, and verdicts about truths.

A tagged snapshot is kept when snapshots expire, and its data files with it: what a version learned from can be read again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.iceberg.errors import iceberg_errors
from connectors.iceberg.taken_truths import REFUSED
from udfs.domain.errors import SettingsError

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

__all__ = ["TRAINING_TABLES", "TrainingSnapshot"]

TRAINING_TABLES = ("weir.inferences", "weir.truths")
_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class TrainingSnapshot:
    """Which snapshots, and what they are called.

    Parameters
    ----------
    tag
        The name of the tag; None before it is tagged.
    tables
        Snapshot id by table name; without one of the dead letters where there were none yet, or where it was recorded
        before verdicts were read.
    """

    tag: str | None
    tables: dict[str, int]

    @staticmethod
    def newest(catalog: Catalog) -> TrainingSnapshot:
        """Return the present snapshots, untagged.

        Raises
        ------
        SettingsError
            If a table holds nothing yet.
        ConnectionLostError, TablesError
            If the catalog does not answer or a table is not there.
        """
        found = {}
        for name in TRAINING_TABLES:
            with iceberg_errors(f"read the table {name}"):
                snapshot = catalog.load_table(name).current_snapshot()
            if snapshot is None:
                msg = f"The table {name} is still empty; wait for the tables job's next checkpoint."
                raise SettingsError(msg)
            found[name] = snapshot.snapshot_id
        with iceberg_errors(f"read the table {REFUSED}"):
            verdicts = catalog.load_table(REFUSED).current_snapshot()
        return TrainingSnapshot(None, found | ({REFUSED: verdicts.snapshot_id} if verdicts else {}))

    @staticmethod
    def tagged(catalog: Catalog, tag: str) -> TrainingSnapshot:
        """Return the snapshots with a tag.

        Raises
        ------
        SettingsError
            If a table does not have the tag.
        ConnectionLostError, TablesError
            If the catalog does not answer or a table is not there.
        """
        found = {}
        for name in TRAINING_TABLES:
            with iceberg_errors(f"read the table {name}"):
                refs = catalog.load_table(name).metadata.refs
            if tag not in refs:
                known = sorted(set(refs) - {"main"})
                names = ", ".join(known[-_MOST_NAMED:]) or "none"
                msg = f"The table {name} has no tag {tag!r}; its newest tags are: {names}."
                raise SettingsError(msg)
            found[name] = refs[tag].snapshot_id
        with iceberg_errors(f"read the table {REFUSED}"):
            verdicts = catalog.load_table(REFUSED).metadata.refs.get(tag)
        return TrainingSnapshot(tag, found | ({REFUSED: verdicts.snapshot_id} if verdicts else {}))

    def named(self) -> str:
        """Return the tag, or the one these snapshots get: the same snapshots always the same.

        Examples
        --------
        >>> TrainingSnapshot(None, {"weir.inferences": 1, "weir.truths": 2}).named()
        'training-3a51f0dddc98'
        """
        said = "\n".join(f"{name} {self.tables[name]}" for name in sorted(self.tables))
        return self.tag or f"training-{hashlib.sha256(said.encode()).hexdigest()[:12]}"

    def tag_it(self, catalog: Catalog) -> TrainingSnapshot:
        """Tag the snapshots, for ever; those that carry the tag already are left alone.

        Raises
        ------
        TablesError
            If other writers were quicker again and again, or a snapshot has expired.
        ConnectionLostError
            If the catalog does not answer.
        """
        tag = self.named()
        for name, snapshot_id in self.tables.items():
            with iceberg_errors(f"tag the table {name}"):
                _tag(catalog.load_table(name), snapshot_id, tag)
        return TrainingSnapshot(tag, dict(self.tables))


def _tag(table: Table, snapshot_id: int, tag: str) -> None:
    """Tag one snapshot; the tables job commits meanwhile, so look again where it was quicker."""
    from pyiceberg.exceptions import CommitFailedException

    for attempt in range(_ATTEMPTS):
        known = table.metadata.refs.get(tag)
        if known is not None and known.snapshot_id == snapshot_id:
            return
        try:
            table.manage_snapshots().create_tag(snapshot_id, tag).commit()
        except CommitFailedException:
            if attempt == _ATTEMPTS - 1:
                raise
            table.refresh()
        else:
            return


_ATTEMPTS = 10
