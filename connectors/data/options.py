"""Reads how people write durations, rates, times and column mappings on the command line."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

from udfs.domain.errors import SettingsError

__all__ = ["parse_duration_ms", "parse_mapping", "parse_rate", "parse_time_ms"]

UNITS_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|d|h|m|s)")


def parse_duration_ms(text: str) -> int:
    """Return a duration in milliseconds.

    Raises
    ------
    SettingsError
        If it is not a run of numbers with the units d, h, m, s, ms.

    Examples
    --------
    >>> parse_duration_ms("6d23h"), parse_duration_ms("90m"), parse_duration_ms("0s")
    (601200000, 5400000, 0)
    """
    compact = text.replace(" ", "").lower()
    parts = DURATION.findall(compact)
    if not parts or "".join(number + unit for number, unit in parts) != compact:
        msg = f"{text!r} is no duration; write numbers with d, h, m, s or ms, for example 6d23h."
        raise SettingsError(msg)
    return round(sum(float(number) * UNITS_MS[unit] for number, unit in parts))


def parse_rate(text: str) -> float | None:
    """Return transactions a second; None for ``max``.

    Raises
    ------
    SettingsError
        If it is neither ``max`` nor a number above 0.

    Examples
    --------
    >>> parse_rate("1500"), parse_rate("max")
    (1500.0, None)
    """
    if text.strip().lower() == "max":
        return None
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < math.inf:
        msg = f"{text!r} is no rate; write transactions a second, for example 1500, or max."
        raise SettingsError(msg)
    return rate


def parse_mapping(text: str) -> dict[str, str]:
    """Return column by contract field.

    Raises
    ------
    SettingsError
        If a part is not FIELD=COLUMN, or a field comes twice.

    Examples
    --------
    >>> parse_mapping("customer_id=card, amount=value")
    {'customer_id': 'card', 'amount': 'value'}
    >>> parse_mapping("")
    {}
    """
    mapping: dict[str, str] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        field, mark, column = (each.strip() for each in part.partition("="))
        if not (mark and field and column) or field in mapping:
            msg = f"{part!r} in the mapping is no FIELD=COLUMN, or comes twice; write customer_id=card,amount=value."
            raise SettingsError(msg)
        mapping[field] = column
    return mapping


def parse_time_ms(text: str) -> int:
    """Return a time in epoch milliseconds; ISO 8601, in UTC where it names no zone, or the milliseconds themselves.

    Raises
    ------
    SettingsError
        If it is neither.

    Examples
    --------
    >>> parse_time_ms("1970-01-02"), parse_time_ms("1970-01-01T01:00+01:00"), parse_time_ms("17")
    (86400000, 0, 17)
    """
    if re.fullmatch(r"-?\d{1,18}", text) and not re.fullmatch(r"\d{8}", text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        msg = f"{text!r} is no time; write ISO 8601 such as 2018-04-01T12:00, or epoch milliseconds."
        raise SettingsError(msg) from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1_000)
