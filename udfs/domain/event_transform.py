"""A feature of one transaction alone, as a row defines it: of its time, its amount, or a field of its message."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import Any, Literal, get_args

from udfs.domain.calendar_features import HOUR_MS, calendar_features
from udfs.domain.defined_feature import defined_feature
from udfs.domain.errors import SettingsError
from udfs.domain.event import Transaction

__all__ = ["EventTransform", "Function"]

Function = Literal["weekend", "night", "hour", "log", "one_hot", "hash"]
OF_TIME = ("weekend", "night", "hour")
OF_STRINGS = ("one_hot", "hash")
AMOUNT = "amount"
HOURS = 24


@dataclass(frozen=True, slots=True)
class EventTransform:
    """A number computed from one transaction.

    Parameters
    ----------
    name
        Name of the feature.
    function
        ``weekend`` (1 on Saturday and Sunday), ``night`` (1 where the hour is at most 6) and ``hour`` (0 to 23) of the event
        time in UTC; ``log`` of a number x: ln(1 + x), and -ln(1 - x) below 0; of a string ``one_hot``, 1 where it is
        ``value``, and ``hash``, the CRC-32 of its UTF-8 modulo ``buckets``.
    field
        ``amount`` or a field of the message; None for functions of time.
    value, buckets
        See ``function``; None for the others.

    Raises
    ------
    SettingsError
        If the parts do not make a feature.

    Examples
    --------
    >>> event = {"event_time_ms": 1_533_340_800_000, "amount": math.e - 1, "fields": {"channel": "web"}}
    >>> [EventTransform("x", each).of(event) for each in ("weekend", "night", "hour")]
    [1.0, 1.0, 0.0]
    >>> EventTransform("x", "log", "amount").of(event), EventTransform("x", "one_hot", "channel", value="web").of(event)
    (1.0, 1.0)
    >>> EventTransform("x", "hash", "channel", buckets=32).of(event)
    17.0
    """

    name: str
    function: Function
    field: str | None = None
    value: str | None = None
    buckets: int | None = None

    def __post_init__(self) -> None:
        """Check the parts."""
        what = None
        if self.function not in get_args(Function):
            what = f"has the function {self.function!r:.40}; choose one of {', '.join(get_args(Function))}"
        elif (self.field is None) != (self.function in OF_TIME) or self.field == "":
            what = f"is {self.function}, which needs {'no' if self.function in OF_TIME else 'a'} field"
        elif (self.value is None) == (self.function == "one_hot") or not isinstance(self.value, str | None):
            what = "needs the value that is 1, for one_hot and for that alone"
        elif (self.buckets is None) == (self.function == "hash"):
            what = "needs a number of buckets, for hash and for that alone"
        elif self.buckets is not None and (isinstance(self.buckets, bool) or not 2 <= int(self.buckets) <= 1 << 20):
            what = f"has {self.buckets!r:.40} buckets; it must be 2 to {1 << 20}"
        elif self.function in OF_STRINGS and self.field == AMOUNT:
            what = f"is {self.function} of the amount, which is a number"
        if what is not None:
            msg = f"The feature {self.name!s:.80} {what}."
            raise SettingsError(msg)

    @property
    def reads(self) -> str | None:
        """The field of the message it needs beside what every transaction has."""
        return None if self.field in (None, AMOUNT) else self.field

    @property
    def reads_string(self) -> bool:
        """Whether that field is a string."""
        return self.function in OF_STRINGS

    def of(self, event: Transaction) -> float | None:
        """Return the feature; None where the message lacks the field."""
        if self.function in OF_TIME:
            return self._of_time(event["event_time_ms"])
        value: Any = event["amount"] if self.field == AMOUNT else event["fields"].get(str(self.field))
        if value is None:
            return None
        if self.function == "log":
            return math.copysign(math.log1p(abs(value)), value)
        if self.function == "one_hot":
            return float(value == self.value)
        return float(zlib.crc32(str(value).encode()) % int(self.buckets or 1))

    def _of_time(self, time_ms: int) -> float:
        if self.function == "hour":
            return float(time_ms // HOUR_MS % HOURS)
        return calendar_features(time_ms)[self.function == "night"]

    def to_json(self) -> dict[str, Any]:
        """Return the definition without its name, as a row holds it."""
        parts = {"function": self.function, "field": self.field, "value": self.value, "buckets": self.buckets}
        return {name: part for name, part in parts.items() if part is not None}

    @classmethod
    def from_json(cls, name: str, value: dict[str, Any]) -> EventTransform:
        """Read what :meth:`to_json` returned.

        Raises
        ------
        SettingsError
            If parts are missing, unknown or impossible.
        """
        return defined_feature(cls, name, value, "transform")
