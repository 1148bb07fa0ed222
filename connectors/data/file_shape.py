"""Which column of a data file is which field of the contract: two known shapes, and whatever a person maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from udfs.domain.errors import DataFileError

__all__ = ["FileShape"]

HANDBOOK = {
    "transaction_id": "TRANSACTION_ID",
    "event_time_ms": "TX_DATETIME",
    "customer_id": "CUSTOMER_ID",
    "terminal_id": "TERMINAL_ID",
    "amount": "TX_AMOUNT",
    "label": "TX_FRAUD",
}
CREDITCARD_FIELDS = ("Time", *(f"V{number}" for number in range(1, 29)), "Amount")
CREDITCARD = {"event_time_ms": "Time", "amount": "Amount", "label": "Class"} | {
    name: name for name in CREDITCARD_FIELDS
}
SHAPES: dict[str, dict[str, str]] = {"handbook": HANDBOOK, "creditcard": CREDITCARD}
REQUIRED = ("transaction_id", "event_time_ms", "customer_id", "amount")
OPTIONAL = ("terminal_id", "label")


@dataclass(frozen=True, slots=True)
class FileShape:
    """How to read a file.

    Parameters
    ----------
    name
        ``handbook``, ``creditcard``, or ``mapped`` where neither set's columns are there.
    columns
        Contract field to column name; complete, and every column is in the file.
    """

    name: str
    columns: dict[str, str]

    @property
    def feature_set(self) -> Literal["handbook", "creditcard"]:
        """The feature set that the file's fields allow."""
        return "creditcard" if all(name in self.columns for name in CREDITCARD_FIELDS) else "handbook"

    @property
    def time_is_seconds(self) -> bool:
        """Whether the time column counts seconds from the set's start, as the credit card set's does."""
        return self.name == "creditcard" and self.columns["event_time_ms"] == "Time"

    @staticmethod
    def of(path: str, names: Sequence[str], mapping: Mapping[str, str]) -> FileShape:
        """Recognise a file by its columns; what is mapped wins over what is recognised.

        Parameters
        ----------
        path
            The file, for messages.
        names
            Its columns.
        mapping
            Contract field to column, from ``--map``.

        Raises
        ------
        DataFileError
            If columns are missing; the one sentence names them.

        Examples
        --------
        >>> FileShape.of("f.csv", ["id", "at", "card", "amount"],
        ...     {"transaction_id": "id", "event_time_ms": "at", "customer_id": "card"}).columns["amount"]
        'amount'
        >>> FileShape.of("f.csv", [*HANDBOOK.values()][1:], {})
        Traceback (most recent call last):
        udfs.domain.errors.DataFileError: f.csv lacks the column TRANSACTION_ID of the handbook set; ...
        """
        name = _nearest(set(names), mapping)
        if name is None:
            base = {field: field for field in (*REQUIRED, *OPTIONAL, *CREDITCARD_FIELDS) if field in names}
        else:
            base = SHAPES[name]
        columns = {**base, **mapping}
        computed = ("transaction_id", "customer_id") if name == "creditcard" else ()
        unmapped = [field for field in REQUIRED if field not in columns and field not in computed]
        absent = {column: field for field, column in columns.items() if column not in names}
        if unmapped or absent:
            of = f" of the {name} set" if name and not set(absent.values()) & set(mapping) else ""
            raise DataFileError(_complaint(path, of, names, unmapped, absent))
        return FileShape(name or "mapped", columns)


def _nearest(names: set[str], mapping: Mapping[str, str]) -> str | None:
    """Return the known shape most of whose columns are there, counting those that are mapped elsewhere as there."""
    shares = {
        name: sum(field in mapping or column in names for field, column in columns.items()) / len(columns)
        for name, columns in SHAPES.items()
        # A file that shares no column with a set is not of its shape, however much is mapped.
        if names & (set(columns.values()) - set(mapping.values()))
    }
    best = max(shares, key=lambda name: shares[name], default=None)
    return best if best is not None and shares[best] > 0.5 else None


def _complaint(path: str, of: str, names: Sequence[str], unmapped: Sequence[str], absent: Mapping[str, str]) -> str:
    """Return the sentence that names what is missing."""
    if absent:
        missing = f"the column{'s' * (len(absent) > 1)} {', '.join(absent)}{of}"
    else:
        missing = f"column{'s' * (len(unmapped) > 1)} for {', '.join(unmapped)}"
    has = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "") or "no columns"
    example = next(iter([*absent.values(), *unmapped]))
    return f"{path} lacks {missing}; it has {has}: name the right ones with --map {example}=COLUMN,..."
