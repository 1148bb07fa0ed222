"""Makes JSON of what a topic holds, so that every tool reads both payloads: the one place where records are decoded."""

from __future__ import annotations

import orjson

from udfs.wire.avro_codec import AvroCodec
from udfs.wire.avro_columns import AVRO_COLUMNS

__all__ = ["json_value"]


def json_value(topic: str, value: bytes | None) -> bytes | None:
    """Return a record's value as JSON; what is JSON, or nothing that is known, is returned as it is.

    The bytes tell, not a setting: a topic may hold what was written before and after the setting changed.

    Examples
    --------
    >>> json_value("transactions", bytes.fromhex("000000000002000000000000f03f0000"))
    b'{"amount":1.0}'
    >>> json_value("transactions", b'{"amount": 1}')
    b'{"amount": 1}'
    """
    if not value or topic not in AVRO_COLUMNS or not AvroCodec.reads(value):
        return value
    try:
        return orjson.dumps(AvroCodec.of(topic).decode(value))
    except ValueError:
        return value
