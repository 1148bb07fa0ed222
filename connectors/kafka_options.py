"""Properties of a Kafka client as options of a SQL table."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["kafka_options"]


def kafka_options(properties: Mapping[str, str]) -> str:
    """Return one option a line, each with its comma; nothing for no properties.

    Examples
    --------
    >>> kafka_options({"sasl.jaas.config": "x y='z';"})
    "'properties.sasl.jaas.config' = 'x y=''z'';',"
    """
    options = ((f"properties.{name}", value.replace("'", "''")) for name, value in properties.items())
    return "\n  ".join(f"'{name}' = '{value}'," for name, value in options)
