"""The truth that holds of each transaction, out of the truths that the job took."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["TRUTH_FIELDS", "newest_truths"]

TRUTH_FIELDS = ("transaction_id", "label", "revision", "truth_time_ms", "intervened")


def newest_truths(rows: pa.Table) -> pa.Table:
    """Return ``transaction_id, label, truth_time_ms``, one row a transaction; label is null where it was intervened with.

    The rules are the stream's: the highest revision holds; of two with one revision the graver, intervened, then fraud.

    Parameters
    ----------
    rows
        Of truths that the job took (:func:`~connectors.iceberg.taken_truths.taken_truths`), with the fields of
        :data:`TRUTH_FIELDS`.
    """
    # What is null there the job refuses; until its dead letter is here, the row must not hide another.
    rows = rows.filter(pc.and_(pc.is_valid(rows["label"]), pc.is_valid(rows["revision"])))
    blocked = pc.fill_null(rows["intervened"], False)
    outcome = pc.if_else(blocked, 2, pc.cast(rows["label"], pa.int64()))
    rows = rows.append_column("outcome", outcome)
    keys = ["transaction_id", "revision", "outcome", "truth_time_ms"]
    # The last of each transaction holds; of two tellings of one truth the earlier time: it was known from then on.
    order = [(name, "ascending") for name in keys[:3]] + [("truth_time_ms", "descending")]
    rows = rows.select(keys).sort_by(order).combine_chunks()
    if not len(rows):
        return pa.table({"transaction_id": [], "label": [], "truth_time_ms": []}, schema=_SCHEMA)
    ids = rows["transaction_id"]
    last = pa.concat_arrays([pc.not_equal(ids[:-1], ids[1:]).combine_chunks(), pa.array([True])])
    rows = rows.filter(last)
    label = pc.if_else(pc.equal(rows["outcome"], 2), pa.scalar(None, pa.int64()), rows["outcome"])
    return pa.table([rows["transaction_id"].cast(pa.string()), label, rows["truth_time_ms"]], schema=_SCHEMA)


_SCHEMA = pa.schema([("transaction_id", pa.string()), ("label", pa.int64()), ("truth_time_ms", pa.int64())])
