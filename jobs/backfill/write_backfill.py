"""Writes a backfill as one parquet file, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from connectors.data.dataset import Dataset
from jobs.backfill.run_backfill import Backfill
from udfs.domain.errors import DataFileError
from udfs.domain.feature_set import FeatureSet

__all__ = ["check_writable", "write_backfill"]

IDENTIFIER = "TRANSACTION_ID"


def check_writable(path: Path) -> None:
    """Refuse a place where nothing can be written, before the work.

    Raises
    ------
    DataFileError
        If the folder is not there or not writable, or the path is a folder.
    """
    folder = path.absolute().parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        msg = f"{path} cannot be written; give the name of a file in a folder that is there and is yours."
        raise DataFileError(msg)


def write_backfill(path: Path, dataset: Dataset, features: FeatureSet, found: Backfill) -> None:
    """Write identifiers and features, in event order; the set's label and hash are in the file's metadata.

    Raises
    ------
    DataFileError
        If the disk is full or the file cannot be replaced.
    """
    identifiers = dataset.columns.transaction_id[found.rows]
    texts = identifiers if identifiers.dtype != object else np.array(identifiers.tolist(), dtype=str)
    columns = [pa.array(texts), *(pa.array(values) for values in found.values.T)]
    table = pa.table(columns, names=[IDENTIFIER, *features.features])
    table = table.replace_schema_metadata({"weir.feature_set": features.label, "weir.feature_set_hash": features.hash})
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        pa_parquet.write_table(table, partial)
        partial.replace(path)
    except (OSError, pa.ArrowException) as error:
        msg = f"{path} could not be written: {error}. Free space or choose another place."
        raise DataFileError(msg) from error
    finally:
        partial.unlink(missing_ok=True)
