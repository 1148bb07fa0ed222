"""The truths the scoring job took, out of the rows of ``weir.truths``: those of which no dead letter tells.

The table has every message that names a transaction. What the job made of it is recorded in ``weir.dead_letters``; that
verdict is read here, and never made a second time. ``sql/views/00_taken_truth.sql`` says the same in SQL.
"""

from __future__ import annotations

import pyarrow as pa

__all__ = ["PLACE_FIELDS", "REFUSED", "VERDICTS", "VERDICT_FIELDS", "taken_truths"]

PLACE_FIELDS = ("topic_partition", "topic_offset")
"""Where a truth stood in its topic."""
REFUSED = "weir.dead_letters"
"""The table of verdicts."""
VERDICTS = "topic = 'truths'"
"""Which of its rows are about truths."""
VERDICT_FIELDS = ("partition", "offset")


def taken_truths(rows: pa.Table, verdicts: pa.Table) -> pa.Table:
    """Return the rows of ``weir.truths`` that the job took.

    Parameters
    ----------
    rows
        With :data:`PLACE_FIELDS`.
    verdicts
        The rows of :data:`REFUSED` that :data:`VERDICTS` says, with :data:`VERDICT_FIELDS`; one place may come twice.

    Examples
    --------
    >>> told = pa.table({"topic_partition": [0, 0, 1], "topic_offset": [7, 8, 7], "label": [1, 0, 1]})
    >>> taken_truths(told, pa.table({"partition": [0, 0], "offset": [7, 7]}))["label"].to_pylist()
    [0, 1]
    """
    if not len(verdicts):
        return rows
    refused = verdicts.select(list(VERDICT_FIELDS)).rename_columns(list(PLACE_FIELDS))
    same = refused.cast(pa.schema([rows.schema.field(name).with_nullable(True) for name in PLACE_FIELDS]))
    return rows.join(same, list(PLACE_FIELDS), join_type="left anti")
