"""Columns of a topic in Avro for Flink's SQL, and the JSON that is made of them."""

from __future__ import annotations

from udfs.domain.feature_set import FeatureSet
from udfs.wire.avro_columns import AVRO_COLUMNS

__all__ = ["avro_columns", "message_expression"]


def avro_columns(topic: str) -> str:
    """Return the columns as a ``CREATE TABLE`` names them.

    Examples
    --------
    >>> avro_columns("transactions").splitlines()[1:3]
    ['`transaction_id` STRING,', '`event_time_ms` BIGINT,']
    """
    return ",\n".join(f"`{name}` {kind}" for name, kind in AVRO_COLUMNS[topic].items())


def message_expression(feature_set: FeatureSet) -> str:
    """Return the SQL that writes a transaction's columns as the JSON object it would have been.

    Parameters
    ----------
    feature_set
        Which of the other numbers and strings are wanted: SQL has to name them.

    Examples
    --------
    >>> from udfs.domain.feature_catalog import FeatureCatalog
    >>> message_expression(FeatureCatalog.of_code("creditcard")).rpartition(", ")[2]
    "KEY 'Amount' VALUE numbers['Amount'] ABSENT ON NULL)"
    """
    fields = {name: f"`{name}`" for name, kind in AVRO_COLUMNS["transactions"].items() if not kind.startswith("MAP")}
    for name in feature_set.required_fields:
        fields.setdefault(name, f"{'strings' if name in feature_set.strings else 'numbers'}['{name}']")
    pairs = ", ".join(f"KEY '{name}' VALUE {value}" for name, value in fields.items())
    return f"JSON_OBJECT({pairs} ABSENT ON NULL)"
