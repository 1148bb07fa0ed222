"""Writes and reads records as Flink's format ``avro`` does: the bytes of the fields, without schema or header."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import fastavro

from udfs.wire.avro_columns import AVRO_COLUMNS

__all__ = ["AvroCodec"]

TYPES: Mapping[str, tuple[Any, Callable[[Any], Any]]] = {
    "STRING": ("string", str),
    "BIGINT": ("long", int),
    "INT": ("int", int),
    "DOUBLE": ("double", float),
    "BOOLEAN": ("boolean", bool),
    "MAP<STRING, DOUBLE NOT NULL>": ({"type": "map", "values": "double"}, dict),
    "MAP<STRING, STRING NOT NULL>": ({"type": "map", "values": "string"}, dict),
}
NOT_NULL = " NOT NULL"


class AvroCodec:
    """The codec of one topic.

    Parameters
    ----------
    topic
        One of :data:`udfs.wire.avro_columns.AVRO_COLUMNS`.

    Examples
    --------
    >>> codec = AvroCodec("transactions")
    >>> value = codec.encode({"transaction_id": 5, "event_time_ms": 900, "customer_id": "c", "amount": 2.5, "V1": -1})
    >>> AvroCodec.reads(value), AvroCodec.reads(b'{"transaction_id": 5}')
    (True, False)
    >>> codec.decode(value)
    {'transaction_id': '5', 'event_time_ms': 900, 'customer_id': 'c', 'amount': 2.5, 'V1': -1.0}
    """

    def __init__(self, topic: str) -> None:
        self._columns = AVRO_COLUMNS[topic]
        fields = [{"name": name, "type": _avro_type(kind)} for name, kind in self._columns.items()]
        self._schema = fastavro.parse_schema({"type": "record", "name": "record", "fields": fields})
        self._as_type = {name: TYPES[kind.removesuffix(NOT_NULL)][1] for name, kind in self._columns.items()}
        self._has_maps = "numbers" in self._columns

    @staticmethod
    @cache
    def of(topic: str) -> AvroCodec:
        """Return the codec of a topic, made once."""
        return AvroCodec(topic)

    @staticmethod
    def reads(value: bytes) -> bool:
        """Say whether a value may be Avro; JSON is not, whatever it begins with."""
        return value[:1] in (b"\0", b"\2")

    def encode(self, message: Mapping[str, Any]) -> bytes:
        """Write a message; in ``transactions`` what is no column goes into the maps, unless it is no number and no string.

        Raises
        ------
        ValueError, TypeError
            If a value is not of its column's type.
        """
        row = self._row(message) if self._has_maps else message  # the job writes its own records of the right types
        written = io.BytesIO()
        fastavro.schemaless_writer(written, self._schema, row)
        return written.getvalue()

    def decode(self, value: bytes) -> dict[str, Any]:
        """Read what :meth:`encode`, or Flink, wrote.

        Raises
        ------
        ValueError
            If the bytes are none of this topic's.
        """
        try:
            row = fastavro.schemaless_reader(io.BytesIO(value), self._schema, None)
        except (EOFError, IndexError, UnicodeDecodeError) as error:
            msg = f"the record is not Avro of the columns {', '.join(self._columns)}: got {error!r}"
            raise ValueError(msg) from error
        assert isinstance(row, dict)
        if not self._has_maps:
            return row
        others = {**(row.pop("numbers") or {}), **(row.pop("strings") or {})}
        return {name: field for name, field in {**row, **others}.items() if field is not None}

    def _row(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        own = {name: self._as_type[name](message[name]) for name in self._columns if message.get(name) is not None}
        return own | _other_fields(message, self._columns)


def _avro_type(kind: str) -> Any:  # noqa: ANN401
    found = TYPES[kind.removesuffix(NOT_NULL)][0]
    return found if kind.endswith(NOT_NULL) else ["null", found]


def _other_fields(message: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    others = {name: field for name, field in message.items() if name not in columns}
    numbers = {name: float(each) for name, each in others.items() if type(each) in (int, float)}
    strings = {name: each for name, each in others.items() if type(each) is str}
    return {name: fields for name, fields in (("numbers", numbers), ("strings", strings)) if fields}
