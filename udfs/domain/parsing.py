"""Turns the value of a Kafka record into a transaction, a truth or a control record, or says why it is none.

First thing done to a batch in the customer and terminal stages. Reasons of a rejection: ``empty``, ``bad_utf8``,
``not_json``, ``not_an_object``, ``too_large`` (a string above 64 KiB), ``missing_field`` (or null, or an empty
identifier), ``wrong_type``, ``not_finite``, ``out_of_range``, ``negative_time``, ``future_time`` (more than a day
after the append time) and ``unknown_control``. The stages add ``duplicate``. Nothing here raises on bad input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Any, Literal

from udfs.domain.control import Control
from udfs.domain.event import Position, Transaction, Truth
from udfs.domain.message_fields import (
    GREATEST_INT64,
    Refusal,
    load_object,
    read_amount,
    read_id,
    read_int,
    read_number,
    read_optional_id,
    read_time,
)
from udfs.domain.rejection import Rejection

__all__ = ["Control", "Rejection", "parse_transaction", "parse_truth"]

NO_FIELDS: Mapping[str, bool] = MappingProxyType({})


def parse_transaction(
    value: str | None,
    position: Position,
    required_fields: Sequence[str] = (),
    strings: Sequence[str] = (),
    optional: Mapping[str, bool] = NO_FIELDS,
) -> Transaction | Rejection | Control:
    """Parse one record of the topic ``transactions``.

    Parameters
    ----------
    value
        The record's value as text; None or blank for an empty message.
    position
        Where it stood; its ``ingestion_time_ms`` bounds the event time.
    required_fields
        Names of the fields that the job's feature set takes from the message; kept in ``fields``. All other fields are
        ignored.
    strings
        Those of them that are strings (an integer is taken as one), the others are numbers.
    optional
        Further names, and whether each is a string: kept where the message has them so.

    Examples
    --------
    >>> at = Position(partition=0, offset=7, ingestion_time_ms=1_000)
    >>> text = '{"transaction_id": 5, "event_time_ms": 900, "customer_id": "c", "amount": 2.5, "V1": -1, "note": "x"}'
    >>> event = parse_transaction(text, at, ["V1"])
    >>> event["transaction_id"], event["amount"], event["fields"]
    ('5', 2.5, {'V1': -1.0})
    >>> parse_transaction(text, at, ["note"], strings=["note"])["fields"]
    {'note': 'x'}
    >>> parse_transaction('{"transaction_id": true}', at).reason
    'wrong_type'
    """
    try:
        message = load_object(value)
        if "control" in message and "transaction_id" not in message:
            return _control(message)
        fields = {
            name: read_id(message, name) if name in strings else read_number(message, name) for name in required_fields
        }
        if optional:
            fields |= _optional(message, optional)
        return Transaction(
            kind="transaction",
            partition=position["partition"],
            offset=position["offset"],
            ingestion_time_ms=position["ingestion_time_ms"],
            transaction_id=read_id(message, "transaction_id"),
            event_time_ms=read_time(message, "event_time_ms", position["ingestion_time_ms"]),
            customer_id=read_id(message, "customer_id"),
            terminal_id=read_optional_id(message, "terminal_id"),
            amount=read_amount(message, "amount"),
            fields=fields,
            features={},
            late=False,
            warming_up=False,
        )
    except Refusal as refusal:
        return Rejection(refusal.reason, refusal.detail)


def parse_truth(value: str | None, position: Position) -> Truth | Rejection | Control:
    """Parse one record of the topic ``truths``.

    Parameters
    ----------
    value
        The record's value as text; None or blank for an empty message.
    position
        Where it stood; its ``ingestion_time_ms`` bounds both times.

    Examples
    --------
    >>> at = Position(partition=0, offset=7, ingestion_time_ms=1_000)
    >>> parse_truth('{"control": "close", "event_time_ms": 5000}', at)
    Control(control='close', event_time_ms=5000)
    >>> parse_truth('{"transaction_id": "t", "label": 2}', at).detail
    'label is 2; it must be 0 or 1'
    """
    try:
        message = load_object(value)
        if "control" in message and "transaction_id" not in message:
            return _control(message)
        ingestion_time_ms = position["ingestion_time_ms"]
        return Truth(
            kind="truth",
            partition=position["partition"],
            offset=position["offset"],
            ingestion_time_ms=ingestion_time_ms,
            transaction_id=read_id(message, "transaction_id"),
            label=_label(message),
            revision=_revision(message),
            truth_time_ms=read_time(message, "truth_time_ms", ingestion_time_ms),
            event_time_ms=read_time(message, "event_time_ms", ingestion_time_ms),
            customer_id=read_id(message, "customer_id"),
            terminal_id=read_optional_id(message, "terminal_id"),
            intervened=_intervened(message),
        )
    except Refusal as refusal:
        return Rejection(refusal.reason, refusal.detail)


def _optional(message: dict[str, Any], optional: Mapping[str, bool]) -> dict[str, float | str]:
    found: dict[str, float | str] = {}
    for name, is_string in optional.items():
        with suppress(Refusal):
            found[name] = read_id(message, name) if is_string else read_number(message, name)
    return found


def _label(message: dict[str, Any]) -> Literal[0, 1]:
    label = read_int(message, "label")
    if label == 0:
        return 0
    if label == 1:
        return 1
    raise Refusal(reason="out_of_range", detail=f"label is {label}; it must be 0 or 1")


def _revision(message: dict[str, Any]) -> int:
    revision = read_int(message, "revision")
    if not 0 <= revision < 2**31:
        raise Refusal(reason="out_of_range", detail=f"revision is {revision}; it must lie between 0 and {2**31 - 1}")
    return revision


def _intervened(message: dict[str, Any]) -> bool:
    value = message.get("intervened")
    if value is None:
        return False
    if not isinstance(value, bool):
        raise Refusal(reason="wrong_type", detail="intervened is not a boolean; it must be true, false or absent")
    return value


def _control(message: dict[str, Any]) -> Control:
    if message["control"] != "close":
        raise Refusal(reason="unknown_control", detail="control is none of the known words; it must be close")
    # Its time lies ahead on purpose, so only the range is checked.
    return Control("close", read_time(message, "event_time_ms", GREATEST_INT64))
