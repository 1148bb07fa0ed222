"""A window feature as people write it: ``NAME=customer.mean(amount) 3d`` or ``NAME=terminal.count 1d delay 7d``."""

from __future__ import annotations

import re

from connectors.data.options import parse_duration_ms
from udfs.domain.errors import SettingsError
from udfs.domain.window_feature import WindowFeature

__all__ = ["parse_window", "window_text"]

TEXT = re.compile(
    r"(?P<name>[A-Za-z_][A-Za-z0-9_.]*)\s*=\s*(?P<entity>\w+)\.(?P<aggregate>\w+)(\((?P<field>\w*)\))?"
    r"\s+(?P<window>\S+)(\s+delay\s+(?P<delay>\S+))?\s*"
)
UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))


def parse_window(text: str) -> WindowFeature:
    """Read a window feature.

    Raises
    ------
    SettingsError
        If it is none.

    Examples
    --------
    >>> parse_window("SPENT_3D=customer.sum(amount) 3d").window_ms
    259200000
    >>> window_text(parse_window("BUSY = terminal.count 12h delay 7d"))
    'terminal.count 12h delay 7d'
    """
    found = TEXT.fullmatch(text.strip())
    if found is None:
        msg = f"{text!r:.120} is no feature; write NAME=customer.mean(amount) 3d, or NAME=terminal.count 1d delay 7d."
        raise SettingsError(msg)
    parts = {
        "entity": found["entity"],
        "aggregate": found["aggregate"],
        "window_ms": parse_duration_ms(found["window"]),
    }
    parts |= {"field": found["field"]} if found["field"] else {}
    parts |= {"delay_ms": parse_duration_ms(found["delay"])} if found["delay"] else {}
    return WindowFeature.from_json(found["name"], parts)


def window_text(feature: WindowFeature) -> str:
    """Write a window feature without its name, as :func:`parse_window` reads it."""
    field = f"({feature.field})" if feature.field else ""
    delay = f" delay {_duration(feature.delay_ms)}" if feature.delay_ms else ""
    return f"{feature.entity}.{feature.aggregate}{field} {_duration(feature.window_ms)}{delay}"


def _duration(milliseconds: int) -> str:
    parts = ""
    for unit, size in UNITS:
        count, milliseconds = divmod(milliseconds, size)
        parts += f"{count}{unit}" if count else ""
    return parts
