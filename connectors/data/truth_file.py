"""Reads a file of truths: chargebacks, corrections and reversals as they come from outside, to be sent as they are.

Every truth is checked as the job will check it, before any is sent: a wrong line is one sentence.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import orjson
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from udfs.domain.errors import DataFileError
from udfs.domain.event import Position
from udfs.domain.parsing import Rejection, parse_truth

__all__ = ["TruthFile"]

NUMBERS = frozenset({"label", "revision", "truth_time_ms", "event_time_ms"})
FLAGS = {"true": True, "1": True, "false": False, "0": False}
FOR_EVER_MS = 2**62
"""No append time yet: how far a time lies ahead is the job's to judge."""


class TruthFile:
    """The truths of a file, in its order; to a producer it is a dataset without transactions.

    Parameters
    ----------
    path
        JSON Lines, one object a line; or a JSON array of objects; or CSV with a header; or parquet. Fields are those of the
        topic ``truths``.

    Raises
    ------
    DataFileError
        If the file cannot be read, or a truth in it is none; the text says which and why.

    Attributes
    ----------
    truth_count
        How many there are.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._truths = [_checked(path, number, row) for number, row in enumerate(_rows(path), start=1)]
        except (OSError, UnicodeDecodeError, pa.ArrowException, csv.Error) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error).split("\n")[0]
            msg = f"{path} cannot be read: {reason}. Give JSON Lines, CSV with a header, or parquet."
            raise DataFileError(msg) from error
        self.truth_count = len(self._truths)

    def __len__(self) -> int:
        """Return the number of transactions: none."""
        return 0

    @property
    def last_event_ms(self) -> int:
        """Time of the latest transaction a truth is of, epoch milliseconds; 0 when empty."""
        return max((truth["event_time_ms"] for truth in self._truths), default=0)

    @property
    def last_time_ms(self) -> int:
        """Time of the latest truth, epoch milliseconds; 0 when empty."""
        return max((truth["truth_time_ms"] for truth in self._truths), default=0)

    def interleaved(self) -> Iterator[tuple[Literal["transactions", "truths"], dict[str, Any]]]:
        """Yield (topic, message)."""
        for truth in self._truths:
            yield "truths", dict(truth)


def _rows(path: Path) -> Iterable[dict[str, Any]]:
    with path.open("rb") as file:
        start = file.read(64)
    if start[:4] == b"PAR1":
        rows: list[dict[str, Any]] = pa_parquet.read_table(path).to_pylist()
        return rows
    first = start.removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    if first == b"{":
        lines = path.read_bytes().removeprefix(codecs.BOM_UTF8).splitlines()
        return [_object(path, at, line) for at, line in enumerate(lines, 1) if line.strip()]
    if first == b"[":
        return _array(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [_typed(row) for row in csv.DictReader(file)]


def _array(path: Path) -> list[dict[str, Any]]:
    try:
        found = orjson.loads(path.read_bytes().removeprefix(codecs.BOM_UTF8))
    except orjson.JSONDecodeError as error:
        msg = f"{path} is no JSON: {error}. Give an array of objects, or one object a line."
        raise DataFileError(msg) from error
    for number, row in enumerate(found, 1):
        if not isinstance(row, dict):
            msg = f"{path}, truth {number} is no JSON object. Each entry of the array must be one."
            raise DataFileError(msg)
    return list(found)


def _object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        msg = f"{path}, line {number} is no JSON: {error}. Each line must be one object."
        raise DataFileError(msg) from error
    if not isinstance(found, dict):
        msg = f"{path}, line {number} is no JSON object. Each line must be one."
        raise DataFileError(msg)
    return found


def _typed(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of CSV with its numbers as numbers; an empty field is none."""
    typed: dict[str, Any] = {name: value for name, value in row.items() if name and value not in ("", None)}
    for name in NUMBERS & typed.keys():
        if str(typed[name]).lstrip("-").isdecimal():
            typed[name] = int(typed[name])
    if "intervened" in typed:
        typed["intervened"] = FLAGS.get(str(typed["intervened"]).lower(), typed["intervened"])
    return typed


def _plain(value: Any) -> Any:  # noqa: ANN401 - a cell of a file
    """Return a cell as it will be written: whole decimals as integers, times in epoch milliseconds, bytes as text."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1_000)
    if isinstance(value, bytes):
        return value.decode()
    return value if isinstance(value, str | int | float | bool | list | dict) else str(value)


def _checked(path: Path, number: int, row: dict[str, Any]) -> dict[str, Any]:
    row = {name: _plain(value) for name, value in row.items() if value is not None}
    known = parse_truth(orjson.dumps(row).decode(), Position(partition=0, offset=0, ingestion_time_ms=FOR_EVER_MS))
    if isinstance(known, Rejection):
        msg = f"{path}, truth {number}: {known.detail} ({known.reason}). Nothing was sent; mend it and send again."
        raise DataFileError(msg)
    if not isinstance(known, dict):
        msg = f"{path}, truth {number} is a closing record; only truths can be sent. Nothing was sent."
        raise DataFileError(msg)
    return row | {"transaction_id": known["transaction_id"], "customer_id": known["customer_id"]}
