"""How many truths that the job took the tables hold, and how many the newest version could learn from."""

from __future__ import annotations

from connectors.iceberg.errors import iceberg_errors
from connectors.iceberg.taken_truths import PLACE_FIELDS, REFUSED, VERDICT_FIELDS, VERDICTS, taken_truths
from connectors.postgres.retraining_log import RetrainingLog
from jobs.registry_access import dsn_of
from jobs.settings import Settings
from jobs.tables.access import catalog_of

__all__ = ["TruthCount"]

TRUTHS = "weir.truths"


class TruthCount:
    """Counts rows of ``weir.truths`` that the job took; a correction counts as one more.

    Where it refused none, the table's metadata tell.

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
        catalog = catalog_of(self._settings)
        with iceberg_errors(f"count the rows of {TRUTHS}"):
            table = catalog.load_table(TRUTHS)
            snapshot = table.current_snapshot() if tag is None else table.snapshot_by_name(tag)
            if snapshot is None:
                return 0
            # what was taken at an earlier time is judged as it is known now
            verdicts = catalog.load_table(REFUSED).scan(VERDICTS, selected_fields=VERDICT_FIELDS).to_arrow()
            if len(verdicts):
                told = table.scan(selected_fields=PLACE_FIELDS, snapshot_id=snapshot.snapshot_id).to_arrow()
                return len(taken_truths(told, verdicts))
        summary = snapshot.summary
        return int(summary["total-records"] or 0) if summary is not None else 0
