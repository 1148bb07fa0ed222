"""Transactions out of the Iceberg tables as training data: with the features the stream had, and the truths it was told.

Half-space trees learn from every inference; a supervised model from the labelled ones, each label when it became known. A
version that continues another takes what that one had no way of knowing: later transactions, and truths told later about
earlier ones. A truth that is corrected after it was learned is learned again, corrected.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from connectors.iceberg.labelled_rows import LabelledRows
from connectors.iceberg.training_snapshot import TrainingSnapshot
from jobs.training.training_course import Example
from udfs.domain.errors import SettingsError
from udfs.domain.feature_set import FeatureSet

__all__ = ["TABLES", "TableRows"]

TABLES = "iceberg"
"""The source as a training record names it."""
_BATCH = 10_000


@dataclass(frozen=True, slots=True)
class TableRows:
    """Rows of a tagged snapshot.

    Parameters
    ----------
    rows
        What is learned from.
    origin
        Where they are from, JSON-able: tag, snapshot by table, event times asked for, and the digest of all rows read.
    told_ms
        Time of the last truth that the parent learned; None without one.
    """

    rows: LabelledRows
    origin: dict[str, Any]
    told_ms: int | None = None

    @staticmethod
    def of(snapshot: TrainingSnapshot, rows: LabelledRows, since_ms: int, until_ms: int | None) -> TableRows:
        """Describe rows that were read from a snapshot for the event times [since, until)."""
        origin = {
            "source": TABLES,
            "tag": snapshot.named(),
            "tables": dict(sorted(snapshot.tables.items())),
            "since_ms": since_ms,
            "until_ms": until_ms,
            "rows_read": len(rows),
            "sha256": rows.sha256(),
        }
        return TableRows(rows, origin)

    @staticmethod
    def recorded(rows: LabelledRows, data: Mapping[str, Any]) -> TableRows:
        """Return rows that were read again for a training record.

        Raises
        ------
        SettingsError
            If they are not those the record names.
        """
        if (found := rows.sha256()) != data["sha256"]:
            msg = f"The data is not what the record says: the rows have sha256 {found}, on record is {data['sha256']}."
            raise SettingsError(msg)
        names = ("source", "tag", "tables", "since_ms", "until_ms", "rows_read", "sha256")
        return TableRows(rows, {name: data[name] for name in names})

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def last_event_ms(self) -> int:
        """Time of the last event, epoch milliseconds; 0 when empty."""
        return int(self.rows.event_time_ms[-1]) if len(self.rows) else 0

    def for_kind(self, *, supervised: bool) -> TableRows:
        """Return the labelled rows for a supervised model, all for another."""
        return replace(self, rows=self.rows.take(self.rows.label >= 0)) if supervised else self

    def after(self, header: Mapping[str, Any]) -> TableRows:
        """Return the rows that are later than a version's last one, or whose truth was told after its last truth."""
        new = self.rows.event_time_ms > header["trained_until_ms"]
        before = header["training"]["data"]
        told_ms = before.get("last_truth_time_ms") if before.get("source") == TABLES else None
        if told_ms is not None:
            new |= self.rows.truth_time_ms > told_ms
        return replace(self, rows=self.rows.take(new), told_ms=told_ms)

    def examples(self, features: FeatureSet) -> Iterator[Example]:
        """Yield them in event order."""
        for rows in self.rows.batches(_BATCH):
            columns = (rows.event_time_ms, rows.vectors, rows.label, rows.truth_time_ms, rows.transaction_id)
            for time_ms, vector, label, told_ms, name in zip(*(each.tolist() for each in columns), strict=True):
                known = label >= 0
                values = dict(zip(rows.features, vector, strict=True))
                yield Example(time_ms, values, label if known else None, told_ms if known else None, name)

    def describe(self) -> dict[str, Any]:
        """Return the rows' origin and what was learned from among them."""
        known = self.rows.label >= 0
        told = [self.told_ms] if self.told_ms is not None else []
        told += self.rows.truth_time_ms[known].tolist()
        return {
            **self.origin,
            "rows": len(self.rows),
            "labelled": int(known.sum()),
            "frauds": int((self.rows.label == 1).sum()),
            "first_event_time_ms": int(self.rows.event_time_ms[0]) if len(self.rows) else 0,
            "last_event_time_ms": self.last_event_ms,
            "last_truth_time_ms": max(told, default=None),
        }
