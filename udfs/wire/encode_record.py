"""Writes the value of a record as the payload setting says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import orjson

from udfs.wire.avro_codec import AvroCodec
from udfs.wire.avro_columns import AVRO_COLUMNS

__all__ = ["encode_record"]


def encode_record(topic: str, message: Mapping[str, Any], payload: Literal["json", "avro"]) -> bytes:
    """Return a message's bytes for a topic; a topic without Avro columns holds JSON whatever the setting.

    Examples
    --------
    >>> encode_record("truths", {"label": 1}, "avro")
    b'{"label":1}'
    >>> encode_record("transactions", {"amount": 1.0}, "avro").hex()
    '000000000002000000000000f03f0000'
    """
    if payload == "avro" and topic in AVRO_COLUMNS:
        return AvroCodec.of(topic).encode(message)
    return orjson.dumps(message)
