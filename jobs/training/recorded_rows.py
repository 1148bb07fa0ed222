"""Reads the rows a version was trained on from the tables again."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from connectors.iceberg.labelled_rows import LabelledRows
from connectors.iceberg.read_labelled_rows import read_labelled_rows
from connectors.iceberg.training_snapshot import TrainingSnapshot
from jobs.settings import Settings
from jobs.tables.access import catalog_of
from jobs.training.recorded_version import RecordedVersion

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

__all__ = ["RecordedRows"]


class RecordedRows:
    """The stack's tables, opened when the first version asks for them.

    Parameters
    ----------
    settings
        Where the stack is.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def of(self, recorded: RecordedVersion) -> LabelledRows:
        """Return the rows that a record names by snapshot; whether they are the same is the trainer's to check.

        Raises
        ------
        ConnectionLostError, TablesError
            If the catalog or S3 does not answer, or a snapshot has expired.
        """
        data = recorded.tables
        assert data is not None
        snapshot = TrainingSnapshot(data["tag"], dict(data["tables"]))
        window = {"since_ms": data["since_ms"], "until_ms": data["until_ms"]}
        label = recorded.record["feature_set"]
        return read_labelled_rows(self._catalog, snapshot, label, recorded.features, **window)

    @cached_property
    def _catalog(self) -> Catalog:
        return catalog_of(self._settings)
