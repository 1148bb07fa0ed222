"""Transactions with their recorded features and what is known of them, in columns and in event order.

What training and comparisons read from the tables. It can be written to a file and read again without the tables; its
sha256 is over the values, so it does not depend on how they were stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from udfs.domain.errors import DataFileError

__all__ = ["LabelledRows"]

NEVER = np.int64(-1)


@dataclass(frozen=True, slots=True)
class LabelledRows:
    """Columns of one length.

    Parameters
    ----------
    features
        Names of the columns of ``vectors``.
    transaction_id
        Strings.
    event_time_ms
        int64, ascending; ties by transaction_id.
    vectors
        float64, a row for each transaction.
    label
        1 for fraud, 0 for genuine, -1 where no truth is known or it cannot be compared with.
    truth_time_ms
        When the label became known, -1 without one.
    """

    features: tuple[str, ...]
    transaction_id: npt.NDArray[np.str_]
    event_time_ms: npt.NDArray[np.int64]
    vectors: npt.NDArray[np.float64]
    label: npt.NDArray[np.int64]
    truth_time_ms: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.event_time_ms)

    def take(self, rows: npt.NDArray[np.bool_]) -> LabelledRows:
        """Return the rows a mask names."""
        columns = {name: getattr(self, name)[rows] for name in _COLUMNS}
        return LabelledRows(self.features, **columns)

    def sha256(self) -> str:
        """Return the digest of all values."""
        digest = hashlib.sha256("\n".join(self.features).encode())
        for name in _COLUMNS:
            column = getattr(self, name)
            if name == "transaction_id":
                ids = [each.encode() for each in column.tolist()]
                digest.update(np.array([len(each) for each in ids], dtype="<i8").tobytes())
                digest.update(b"".join(ids))
            else:
                digest.update(np.ascontiguousarray(column, dtype="<f8" if name == "vectors" else "<i8").tobytes())
        return digest.hexdigest()

    def write(self, path: Path) -> None:
        """Write them to a file that :meth:`read` reads without running any code of it."""
        columns = {name: getattr(self, name) for name in _COLUMNS}
        with path.open("wb") as file:
            np.savez(file, features=np.array(self.features, dtype=np.str_), **columns)

    @staticmethod
    def read(path: Path) -> LabelledRows:
        """Read what :meth:`write` wrote.

        Raises
        ------
        DataFileError
            If it is not such a file.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                columns = {name: file[name] for name in _COLUMNS}
                return LabelledRows(tuple(file["features"].tolist()), **columns)
        except (OSError, ValueError, KeyError) as error:
            msg = f"{path} does not hold rows read from the tables: {error}."
            raise DataFileError(msg) from error

    def batches(self, size: int) -> Iterator[LabelledRows]:
        """Yield them in order, so many at a time."""
        for start in range(0, len(self), size):
            columns = {name: getattr(self, name)[start : start + size] for name in _COLUMNS}
            yield LabelledRows(self.features, **columns)


_COLUMNS = tuple(each.name for each in fields(LabelledRows) if each.name != "features")
