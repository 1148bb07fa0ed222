"""The truth that holds of each transaction, out of the rows of ``weir.truths``."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["TRUTH_FIELDS", "newest_truths"]

TRUTH_FIELDS = ("transaction_id", "label", "revision", "truth_time_ms", "intervened")


def newest_truths(rows: pa.Table) -> pa.Table:
    """Return ``transaction_id, label, truth_time_ms``, one row a transaction; label is null where it was intervened with.

    The rules are the stream's: the highest revision holds; of two with one revision the graver, intervened, then fraud.
    Rows that the stream does not take for truths (no such label, no time) are left out.

    Parameters
    ----------
    rows
        With the fields of :data:`TRUTH_FIELDS`.
    """
    usable = pc.and_(pc.is_in(rows["label"], pa.array([0, 1], rows["label"].type)), pc.is_valid(rows["truth_time_ms"]))
    usable = pc.and_(usable, pc.and_(pc.is_valid(rows["revision"]), pc.is_valid(rows["transaction_id"])))
    rows = rows.filter(usable)
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
