"""Reads a parquet or CSV file of transactions into columns, in event order.

What a file holds is checked here, before anything is sent: a missing column or an impossible value is one sentence.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from connectors.data.cell_values import as_flags, as_numbers, as_texts, as_times_ms, delimiter_of
from connectors.data.columns import Columns
from connectors.data.file_shape import FileShape
from udfs.domain.errors import DataFileError

__all__ = ["FileContent", "read_file"]

CREDITCARD_START_MS = 1_377_993_600_000
"""2013-09-01T00:00:00Z: the set's first day is one of September 2013, it does not say which."""
CREDITCARD_CUSTOMERS = 1_000
"""The set has no customers; its rows are dealt out to so many."""
IDENTIFIERS = ("transaction_id", "customer_id", "terminal_id")
ROW_OF_DATA = re.compile(r"(Expected \d+ columns, got \d+): .*")
"""Arrow quotes the row it stumbles over; card numbers do not belong in an error message."""


@dataclass(frozen=True, slots=True)
class FileContent:
    """What was read.

    Parameters
    ----------
    columns
        The rows, in event order.
    feature_set
        The feature set that the rows allow.
    origin
        The file's name, sha256, shape and mapping, JSON-able.
    """

    columns: Columns
    feature_set: Literal["handbook", "creditcard"]
    origin: dict[str, Any]


def read_file(path: Path, mapping: Mapping[str, str]) -> FileContent:
    """Read a data file.

    Parameters
    ----------
    path
        A parquet file (known by its first bytes), or else a CSV file with a header.
    mapping
        Contract field to column.

    Raises
    ------
    DataFileError
        If the file cannot be read, lacks columns, or holds values that no transaction can have.
    """
    try:
        with path.open("rb") as file:
            is_parquet = file.read(4) == b"PAR1"
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        shape = FileShape.of(str(path), _names(path, is_parquet), mapping)
        table = _table(path, is_parquet, shape)
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        reason = f"{error.strerror}" if isinstance(error, OSError) and error.strerror else str(error).split("\n")[0]
        reason = ROW_OF_DATA.sub(r"\1", reason)
        msg = f"{path} cannot be read as a parquet or CSV file: {reason}. Give a file with a header and one row each."
        raise DataFileError(msg) from error
    origin = {"source": "file", "file": path.name, "sha256": sha256, "shape": shape.name, "mapping": dict(mapping)}
    return FileContent(_columns(str(path), table, shape).in_event_order(), shape.feature_set, origin)


def _names(path: Path, is_parquet: bool) -> list[str]:
    if is_parquet:
        return list(pa_parquet.read_schema(path).names)
    with pa_csv.open_csv(path, parse_options=_dialect(path)) as reader:
        return list(reader.schema.names)


def _dialect(path: Path) -> Any:  # noqa: ANN401 - pyarrow is untyped
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        return pa_csv.ParseOptions(delimiter=delimiter_of(file.readline()))


def _table(path: Path, is_parquet: bool, shape: FileShape) -> Any:  # noqa: ANN401 - pyarrow is untyped
    wanted = list(dict.fromkeys(shape.columns.values()))
    if is_parquet:
        return pa_parquet.read_table(path, columns=wanted)
    # Identifiers are read as text: inference would make 7 of 007.
    texts = {shape.columns[name]: pa.string() for name in IDENTIFIERS if name in shape.columns}
    convert = pa_csv.ConvertOptions(include_columns=wanted, column_types=texts)
    return pa_csv.read_csv(path, parse_options=_dialect(path), convert_options=convert)


def _columns(path: str, table: Any, shape: FileShape) -> Columns:  # noqa: ANN401 - pyarrow is untyped
    read = _Reader(path, table, shape)
    rows = np.arange(table.num_rows, dtype=np.int64)
    known = shape.columns
    others = [name for name in known if name not in (*IDENTIFIERS, "event_time_ms", "amount", "label")]
    return Columns(
        transaction_id=read.identifiers("transaction_id") if "transaction_id" in known else rows,
        event_time_ms=read.times(),
        customer_id=read.identifiers("customer_id") if "customer_id" in known else rows % CREDITCARD_CUSTOMERS,
        amount=read.numbers("amount"),
        terminal_id=read.identifiers("terminal_id") if "terminal_id" in known else None,
        label=read.labels() if "label" in known else None,
        fields={name: read.field(name) for name in others},
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    """Turns columns of a table into checked arrays; every complaint names the column."""

    path: str
    table: Any
    shape: FileShape

    def identifiers(self, name: str) -> npt.NDArray[Any]:
        """Return integers where every identifier is one as it is written, else strings; None where a terminal lacks."""
        column = self._column(name, may_lack=True)
        try:
            texts = as_texts(column)
        except pa.ArrowException as error:
            what = "holds identifiers that are no whole numbers and no text"
            raise self._error(name, f"{what}: got {column.type}, {str(error)[:80]}") from error
        if texts.null_count:
            if name != "terminal_id":
                row = pc.index(pc.is_null(texts), True).as_py() + 1
                raise self._error(name, f"is empty in {texts.null_count} rows, first in row {row}; every row needs one")
            return np.array(texts.to_pylist(), dtype=object)
        try:
            numbers = pc.cast(texts, pa.int64())
        except pa.ArrowInvalid:
            return np.array(texts.to_pylist(), dtype=object)
        if pc.all(pc.equal(pc.cast(numbers, pa.string()), texts)).as_py() is False:
            return np.array(texts.to_pylist(), dtype=object)
        return _as_numpy(numbers, np.int64)

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        return self._finite(name, as_numbers, "numbers")

    def times(self) -> npt.NDArray[np.int64]:
        if self.shape.time_is_seconds:
            return CREDITCARD_START_MS + np.rint(self.numbers("event_time_ms") * 1_000).astype(np.int64)
        times = _as_numpy(self._read("event_time_ms", as_times_ms, "times"), np.int64)
        if len(times) and times.min() < 0:
            row = int(np.argmax(times < 0)) + 1
            complaint = f"holds a time before 1970, first in row {row}; the job takes none"
            raise self._error(name="event_time_ms", complaint=complaint)
        return times

    def labels(self) -> npt.NDArray[np.int8]:
        values = self._finite("label", as_flags, "labels (0 or 1, yes or no)")
        wrong = values[~np.isin(values, (0.0, 1.0))]
        if len(wrong):
            raise self._error(name="label", complaint=f"holds {wrong[0]:g}; a label is 0 or 1")
        return values.astype(np.int8)

    def _finite(self, name: str, read: Callable[[Any], Any], what: str) -> npt.NDArray[np.float64]:
        values = _as_numpy(self._read(name, read, what), np.float64)
        if not np.isfinite(values).all():
            raise self._error(name, "holds NaN or infinity; an amount or a feature must be a finite number")
        return values

    def field(self, name: str) -> npt.NDArray[Any]:
        column = self._column(name)
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            return np.array(column.to_pylist(), dtype=object)
        return self.numbers(name)

    def _column(self, name: str, *, may_lack: bool = False) -> Any:  # noqa: ANN401 - pyarrow is untyped
        column = self.table.column(self.shape.columns[name])
        if pa.types.is_dictionary(column.type):
            column = pc.cast(column, column.type.value_type)
        if column.null_count and not may_lack:
            raise self._error(name, f"has {column.null_count} empty values; every row needs one")
        return column

    def _read(self, name: str, read: Callable[[Any], Any], what: str) -> Any:  # noqa: ANN401 - pyarrow is untyped
        column = self._column(name)
        try:
            return read(column)
        except (pa.ArrowException, ValueError) as error:
            raise self._error(name, f"is of type {column.type}; {what} are needed") from error

    def _error(self, name: str, complaint: str) -> DataFileError:
        return DataFileError(f"{self.path}: the column {self.shape.columns[name]} {complaint}.")


def _as_numpy(column: Any, dtype: Any) -> npt.NDArray[Any]:  # noqa: ANN401 - pyarrow is untyped
    return np.asarray(column.to_numpy(), dtype=dtype)
