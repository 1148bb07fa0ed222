"""Reads a Kafka value into a JSON object, and its fields into checked values.

Everything here refuses by raising ``Refusal``, which ``udfs.domain.parsing`` turns into a ``Rejection``; an exception
costs nothing while messages are good. Nothing of a payload gets into a refusal's text but field names, types and
numbers.
"""

from __future__ import annotations

import json
import math
from typing import Any

import orjson

__all__ = [
    "GREATEST_INT64",
    "Refusal",
    "load_object",
    "read_amount",
    "read_id",
    "read_int",
    "read_number",
    "read_optional_id",
    "read_time",
]

LONGEST_STRING_BYTES = 65_536
DAY_MS = 86_400_000
REPLACEMENT_CHARACTER = "\ufffd"
GREATEST_INT64 = 2**63 - 1
GREATEST_AMOUNT = 1e15


class Refusal(Exception):
    """A message is refused; carries the reason and the detail of its ``Rejection``."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def load_object(value: str | None) -> dict[str, Any]:
    """Return the JSON object in a Kafka value.

    Raises
    ------
    Refusal
        empty, bad_utf8, not_json, not_finite, not_an_object or too_large.
    """
    if value is None or not value.strip():
        raise Refusal(reason="empty", detail="the message has no value")
    if REPLACEMENT_CHARACTER in value:
        # Flink's raw format decodes leniently: what was not UTF-8 arrives as this character.
        raise Refusal(reason="bad_utf8", detail="the value is not valid UTF-8")
    try:
        loaded = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise _why_not_json(value, error) from error
    if not isinstance(loaded, dict):
        raise Refusal(reason="not_an_object", detail=f"the value is a JSON {_type_name(loaded)}, not an object")
    if len(value) * 4 > LONGEST_STRING_BYTES:
        _refuse_long_strings(loaded)
    return loaded


def read_id(message: dict[str, Any], name: str) -> str:
    """Return an identifier: a non-empty string, or an integer turned into one."""
    value = message.get(name)
    if type(value) is int:
        return str(value)
    if type(value) is not str:
        raise _wrong(name, value, "a string or an integer")
    if not value:
        raise Refusal(reason="missing_field", detail=f"{name} is an empty string")
    return value


def read_optional_id(message: dict[str, Any], name: str) -> str | None:
    """Return an identifier, or None where the field is absent, null or an empty string."""
    if message.get(name) in (None, ""):
        return None
    return read_id(message, name)


def read_number(message: dict[str, Any], name: str) -> float:
    """Return a finite number as a float."""
    value = message.get(name)
    if type(value) is not float and type(value) is not int:
        raise _wrong(name, value, "a number")
    if not math.isfinite(value):
        raise Refusal(reason="not_finite", detail=f"{name} is not a finite number")
    return float(value)


def read_amount(message: dict[str, Any], name: str) -> float:
    """Return a finite number whose size is at most 1e15, so that exact window sums have room."""
    value = read_number(message, name)
    if abs(value) > GREATEST_AMOUNT:
        raise Refusal(
            reason="out_of_range", detail=f"{name} is {value:g}; its size must not exceed {GREATEST_AMOUNT:g}"
        )
    return value


def read_int(message: dict[str, Any], name: str) -> int:
    """Return an integer that fits into int64."""
    value = message.get(name)
    if type(value) is not int:
        raise _wrong(name, value, "an integer")
    if not -GREATEST_INT64 <= value <= GREATEST_INT64:
        raise Refusal(reason="out_of_range", detail=f"{name} does not fit into 64 bits")
    return value


def read_time(message: dict[str, Any], name: str, ingestion_time_ms: int) -> int:
    """Return a time in epoch milliseconds: not negative, and at most a day after the broker appended the message."""
    value = message.get(name)
    if type(value) is not int:
        raise _wrong(name, value, "an integer (epoch milliseconds)")
    if value < 0:
        raise Refusal(reason="negative_time", detail=f"{name} is {value}; times are epoch milliseconds from 0 on")
    if value > ingestion_time_ms + DAY_MS:
        detail = f"{name} is {value}, more than a day after the append time {ingestion_time_ms}"
        raise Refusal(reason="future_time", detail=detail)
    return value


def _wrong(name: str, value: object, expected: str) -> Refusal:
    if value is None:
        return Refusal(reason="missing_field", detail=f"{name} is missing or null; it must be {expected}")
    if isinstance(value, float) and abs(value) >= 2**63:
        # Integers beyond 64 bits are read as such a number: "an integer" alone would not say what is wrong with one.
        detail = f"{name} is a number beyond 64 bits; it must be {expected} that fits into 64 bits"
        return Refusal(reason="wrong_type", detail=detail)
    return Refusal(reason="wrong_type", detail=f"{name} is a JSON {_type_name(value)}; it must be {expected}")


def _type_name(value: object) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


def _why_not_json(value: str, error: orjson.JSONDecodeError) -> Refusal:
    # NaN, Infinity and 1e999 are not JSON, but a producer that wrote one deserves to be told so. Nothing that the more
    # lenient parser returns is used: it lets lone surrogates through, which cannot be written again.
    not_finite = False

    def number(text: str) -> float:
        nonlocal not_finite
        read = float(text)
        not_finite = not_finite or not math.isfinite(read)
        return read

    try:
        json.loads(value, parse_constant=number, parse_float=number)
    except (ValueError, RecursionError):
        not_finite = False
    if not_finite:
        return Refusal(
            reason="not_finite", detail="the value holds NaN, an infinity or a number too large for a double"
        )
    return Refusal(reason="not_json", detail=f"the value is not JSON, at character {error.pos}")


def _refuse_long_strings(message: dict[str, Any]) -> None:
    waiting: list[object] = [message]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.keys())
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, str) and len(value) * 4 > LONGEST_STRING_BYTES:
            size = len(value.encode())
            if size > LONGEST_STRING_BYTES:
                raise Refusal(
                    reason="too_large", detail=f"a string of {size} bytes; the limit is {LONGEST_STRING_BYTES}"
                )
