"""Reads transactions with recorded features and newest truth from a snapshot of the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.iceberg.errors import iceberg_errors
from connectors.iceberg.labelled_rows import NEVER, LabelledRows
from connectors.iceberg.newest_truths import TRUTH_FIELDS, newest_truths
from connectors.iceberg.taken_truths import PLACE_FIELDS, REFUSED, VERDICT_FIELDS, VERDICTS, taken_truths
from connectors.iceberg.training_snapshot import TRAINING_TABLES, TrainingSnapshot
from udfs.domain.errors import TablesError

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

__all__ = ["read_labelled_rows"]


def read_labelled_rows(
    catalog: Catalog,
    snapshot: TrainingSnapshot,
    feature_set: str,
    features: tuple[str, ...],
    *,
    since_ms: int = 0,
    until_ms: int | None = None,
    scored_by: tuple[str, str] | None = None,
) -> LabelledRows:
    """Return each transaction once, with the features the stream had when it scored it.

    Parameters
    ----------
    snapshot
        Which state of the tables.
    feature_set, features
        Label and names; a transaction recorded on another feature set, or with a feature missing, is left out.
    since_ms, until_ms
        Event times, [since, until).
    scored_by
        Only what the artifact with this digest scored in this role; None for all transactions.

    Raises
    ------
    ConnectionLostError, TablesError
        If the catalog or S3 does not answer, or a snapshot is not there any more.
    """
    window = f"event_time_ms >= {since_ms:d}" + ("" if until_ms is None else f" and event_time_ms < {until_ms:d}")
    # The champion's inference is there for every transaction, with a null score where nothing scored it.
    who = "role = 'champion'" if scored_by is None else f"digest = '{scored_by[0]}' and role = '{scored_by[1]}'"
    wanted = f"{window} and {who} and feature_set = '{feature_set}'"
    inferences, truths = TRAINING_TABLES
    fields = ("transaction_id", "event_time_ms", "features")
    scored = _scan(catalog, inferences, snapshot, wanted, fields)
    # A truth belongs to its transaction by name alone, whatever event time it tells: all are read.
    rows = _scan(catalog, truths, snapshot, "true", (*TRUTH_FIELDS, *PLACE_FIELDS))
    told = newest_truths(taken_truths(rows, _scan(catalog, REFUSED, snapshot, VERDICTS, VERDICT_FIELDS)))
    return _joined(scored, told, features)


def _scan(catalog: Catalog, name: str, snapshot: TrainingSnapshot, wanted: str, fields: tuple[str, ...]) -> pa.Table:
    with iceberg_errors(f"read the table {name}"):
        table = catalog.load_table(name)
        # Only of the dead letters it may be unknown which they were: then those of today, which say more, never otherwise.
        snapshot_id = snapshot.tables.get(name)
        if snapshot_id is not None and table.snapshot_by_id(snapshot_id) is None:
            msg = f"The snapshot {snapshot_id} of {name} has expired; only tagged snapshots are kept."
            raise TablesError(msg)
        return table.scan(wanted, selected_fields=fields, snapshot_id=snapshot_id).to_arrow()


def _joined(scored: pa.Table, told: pa.Table, features: tuple[str, ...]) -> LabelledRows:
    maps = scored["features"].combine_chunks()
    columns = [pc.map_lookup(maps, pa.scalar(name, maps.type.key_type), "first") for name in features]
    scored = pa.table(
        {
            "transaction_id": scored["transaction_id"].cast(pa.string()),
            "event_time_ms": scored["event_time_ms"],
            **dict(zip(features, columns, strict=True)),
        }
    )
    scored = scored.drop_null()
    joined = scored.join(told, "transaction_id", join_type="left outer").combine_chunks()
    joined = joined.sort_by([("event_time_ms", "ascending"), ("transaction_id", "ascending")])
    ids = np.array(joined["transaction_id"].to_pylist(), dtype=np.str_)
    once = np.ones(len(ids), dtype=np.bool_)
    once[1:] = ids[1:] != ids[:-1]
    label = joined["label"].fill_null(-1).to_numpy()
    truth_time_ms = np.where(label < 0, NEVER, joined["truth_time_ms"].fill_null(int(NEVER)).to_numpy())
    rows = LabelledRows(
        features=features,
        transaction_id=ids,
        event_time_ms=joined["event_time_ms"].to_numpy(),
        vectors=np.column_stack([joined[name].to_numpy() for name in features]),
        label=label,
        truth_time_ms=truth_time_ms,
    )
    return rows.take(once)
