"""How many truths the tables hold, by their metadata alone, and how many the newest version could learn from."""

from __future__ import annotations

from connectors.iceberg.errors import iceberg_errors
from connectors.postgres.retraining_log import RetrainingLog
from jobs.registry_access import dsn_of
from jobs.settings import Settings
from jobs.tables.access import catalog_of

__all__ = ["TruthCount"]

TRUTHS = "weir.truths"


class TruthCount:
    """Counts rows of ``weir.truths``; a correction counts as one more.

    Parameters
    ----------
    settings
        Where the stack is.
    model
        Whose training counts.
    """

    def __init__(self, settings: Settings, model: str) -> None:
        self._settings, self._model = settings, model

    def now(self) -> int:
        """Return how many there are now.

        Raises
        ------
        ConnectionLostError, TablesError
            If the catalog does not answer or the table is not there.
        """
        return self._count(None)

    def learned(self) -> int:
        """Return how many there were when ``weir retrain`` last trained a version; 0 where it never did."""
        log = RetrainingLog(dsn_of(self._settings))
        for each in log.decisions(self._model):
            if each.action == "train" and each.tag is not None and not each.dry_run:
                return self._count(each.tag)
        return 0

    def _count(self, tag: str | None) -> int:
        with iceberg_errors(f"count the rows of {TRUTHS}"):
            table = catalog_of(self._settings).load_table(TRUTHS)
            snapshot = table.current_snapshot() if tag is None else table.snapshot_by_name(tag)
        summary = snapshot.summary if snapshot is not None else None
        return int(summary["total-records"] or 0) if summary is not None else 0
