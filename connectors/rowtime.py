"""The SQL expression for the event time of a topic's raw records, the same for Kafka and for the tests' files."""

from __future__ import annotations

from connectors.statement import statement

__all__ = ["rowtime_expression"]

# The field that says when a record happened, and the one to take where it is missing.
TIME_FIELDS = {"transactions": ("event_time_ms", "event_time_ms"), "truths": ("truth_time_ms", "event_time_ms")}


def rowtime_expression(topic: str, append_ms: str, *, in_columns: bool = False) -> str:
    """Return the expression of the ``rowtime`` column.

    Parameters
    ----------
    topic
        ``transactions``, ``truths`` or ``weir.metadata``. Metadata has no event time: its watermark stays at 1970 and its
        source is idle a second after each row, so it neither holds event time back nor pushes it.
    append_ms
        SQL for the append time in epoch milliseconds.
    in_columns
        The fields are columns of the table, not of the JSON in ``v``.
    """
    if topic not in TIME_FIELDS:
        return "TO_TIMESTAMP_LTZ(0, 3)"
    source = "`{}`" if in_columns else "TRY_CAST(JSON_VALUE(v, '$.{}') AS BIGINT)"
    first, second = (source.format(field) for field in TIME_FIELDS[topic])
    text = statement("job/rowtime.sql", first=first, second=second, append_ms=append_ms)
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))
