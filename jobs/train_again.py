"""Trains a recorded version again: the fresh process of ``weir reproduce``, run from the code the record holds.

It reads one request from standard input, ``{"record": training.json, "data": path or null, "parent": path or null,
"out": path}``, and answers on standard output with lines of JSON: ``{"seen": n}`` while it trains, then
``{"code": file, "out": path}`` or ``{"error": sentence}``. Old bundles are run by newer code: this is a contract, and so is
the name of this module, which is why it lies beside :mod:`jobs.training` and not in it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from connectors.data.dataset import GENERATOR, Dataset, open_dataset
from connectors.iceberg.labelled_rows import LabelledRows
from jobs.training.table_rows import TABLES, TableRows
from jobs.training.train_artifact import train_artifact
from udfs.domain.errors import SettingsError, WeirError
from udfs.domain.feature_catalog import FeatureCatalog
from udfs.domain.feature_set import FeatureSet

__all__ = ["main", "recorded_dataset", "train_again"]


def main() -> None:
    """Answer the one request."""
    # What a library prints must not get among the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    request = orjson.loads(sys.stdin.buffer.read())
    parent = None if request["parent"] is None else Path(request["parent"]).read_bytes()
    try:
        artifact = train_again(
            request["record"], request["data"], parent, progress=lambda seen: _say(answers, {"seen": seen})
        )
    except WeirError as error:
        _say(answers, {"error": str(error)})
        return
    Path(request["out"]).write_bytes(artifact)
    _say(answers, {"code": __file__, "out": request["out"]})


def train_again(
    record: dict[str, Any],
    data_path: str | None,
    parent: bytes | None,
    progress: Callable[[int], None] | None = None,
) -> bytes:
    """Return the artifact that the record describes, trained by this code.

    Parameters
    ----------
    record
        What ``training.json`` holds.
    data_path
        The data file, or the rows of the tables as :class:`connectors.iceberg.labelled_rows.LabelledRows` writes them; None
        for generated data.
    parent
        The artifact it went on from.
    progress
        Called with the number of transactions trained on.

    Raises
    ------
    WeirError
        If the data or the feature set is not what the record says, or training fails.
    """
    parameters, data = record["parameters"], record["data"]
    source: Dataset | TableRows
    if data["source"] == TABLES:
        assert data_path is not None
        source, first_row = TableRows.recorded(LabelledRows.read(Path(data_path)), data), 0
    else:
        source = recorded_dataset(data, data_path)
        first_row = data["first_row"] - source.first_row
    return train_artifact(
        source,
        _feature_set(record),
        algorithm=record["algorithm"],
        first_row=first_row,
        seed=parameters["seed"],
        alert_rate=parameters["alert_rate"],
        parent=parent,
        progress=progress,
    ).artifact


def recorded_dataset(data: dict[str, Any], path: str | None) -> Dataset:
    """Open the rows a record names, and those before them that filled the windows.

    Raises
    ------
    SettingsError
        If they are not what the record says: another file, another generator, or moved in time.
    DataFileError
        If the file cannot be read.
    """
    if "restamped_from_ms" in data:
        msg = "The version was trained on rows moved in time; such data cannot be opened again from the record."
        raise SettingsError(msg)
    history, end = data["history_first_row"], data["first_row"] + data["rows"]
    if data["source"] == GENERATOR:
        names = ("seed", "days", "start_ms")
        opened = open_dataset(GENERATOR, rows=data["generated_rows"], **{name: data[name] for name in names})
    else:
        assert path is not None
        opened = open_dataset(path, mapping=data["mapping"])
        # The name is for people; a file that was moved is the same file.
        opened = replace(opened, origin={**opened.origin, "file": data["file"]})
    opened = replace(opened, truth_delay_ms=data["truth_delay_ms"]).part(history, end)
    found = {**opened.part(data["first_row"] - history).describe(), "history_first_row": history}
    for name, recorded in data.items():
        if found.get(name) != recorded:
            msg = f"The data is not what the record says: {name} is {found.get(name)!r}, on record is {recorded!r}."
            raise SettingsError(msg)
    return opened


def _feature_set(record: dict[str, Any]) -> FeatureSet:
    """Return the set of the recorded code, or the one of a row as the record has it: no database is asked here."""
    label, defined = record["feature_set"], record.get("feature_definition")
    rows = () if defined is None else (FeatureSet.of_row(defined["name"], defined["version"], defined["definition"]),)
    found = FeatureCatalog().sets.get(label) or next((each for each in rows if each.label == label), None)
    if found is None:
        msg = f"Neither the recorded code nor the record defines the feature set {label!r}."
        raise SettingsError(msg)
    return found


def _say(answers: BinaryIO, value: dict[str, Any]) -> None:
    answers.write(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE))
