"""A feature as people write it: ``NAME=customer.mean(amount) 3d``, ``NAME=terminal.count 1d delay 7d``, ``NAME=hour``."""

from __future__ import annotations

import re
from typing import Any

from connectors.data.options import parse_duration_ms
from udfs.domain.errors import SettingsError
from udfs.domain.event_transform import EventTransform
from udfs.domain.window_feature import WindowFeature

__all__ = ["definition_text", "parse_definition"]

NAME = r"(?P<name>[A-Za-z_][A-Za-z0-9_.]*)\s*=\s*"
WINDOW = re.compile(
    NAME + r"(?P<entity>\w+)\.(?P<aggregate>\w+)(\((?P<field>\w*)\))?\s+(?P<window>\S+)(\s+delay\s+(?P<delay>\S+))?\s*"
)
TRANSFORM = re.compile(
    NAME + r"(?P<function>[a-z_]+)(\((?P<field>\w+)(\s*=\s*(?P<value>[^()]*))?\))?(\s+(?P<buckets>\d+))?\s*"
)
UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))


def parse_definition(text: str) -> WindowFeature | EventTransform:
    """Read a window feature or a transform.

    Raises
    ------
    SettingsError
        If it is neither.

    Examples
    --------
    >>> parse_definition("SPENT_3D=customer.sum(amount) 3d").window_ms
    259200000
    >>> definition_text(parse_definition("BUSY = terminal.count 12h delay 7d"))
    'terminal.count 12h delay 7d'
    >>> definition_text(parse_definition("ON_THE_WEB = one_hot(channel=web)"))
    'one_hot(channel=web)'
    """
    if found := WINDOW.fullmatch(text.strip()):
        parts: dict[str, Any] = {"entity": found["entity"], "aggregate": found["aggregate"]}
        parts["window_ms"] = parse_duration_ms(found["window"])
        parts |= {"field": found["field"]} if found["field"] else {}
        parts |= {"delay_ms": parse_duration_ms(found["delay"])} if found["delay"] else {}
        return WindowFeature.from_json(found["name"], parts)
    if found := TRANSFORM.fullmatch(text.strip()):
        parts = {name: found[name] for name in ("function", "field", "value") if found[name] is not None}
        parts |= {"buckets": int(found["buckets"])} if found["buckets"] else {}
        return EventTransform.from_json(found["name"], parts)
    msg = (
        f"{text!r:.120} is no feature; write NAME=customer.mean(amount) 3d, NAME=terminal.count 1d delay 7d, NAME=hour, "
        "NAME=log(amount), NAME=one_hot(FIELD=VALUE) or NAME=hash(FIELD) 32."
    )
    raise SettingsError(msg)


def definition_text(feature: WindowFeature | EventTransform) -> str:
    """Write a feature without its name, as :func:`parse_definition` reads it."""
    if isinstance(feature, EventTransform):
        value = "" if feature.value is None else f"={feature.value}"
        field = f"({feature.field}{value})" if feature.field else ""
        return f"{feature.function}{field}{f' {feature.buckets}' if feature.buckets else ''}"
    field = f"({feature.field})" if feature.field else ""
    delay = f" delay {_duration(feature.delay_ms)}" if feature.delay_ms else ""
    return f"{feature.entity}.{feature.aggregate}{field} {_duration(feature.window_ms)}{delay}"


def _duration(milliseconds: int) -> str:
    parts = ""
    for unit, size in UNITS:
        count, milliseconds = divmod(milliseconds, size)
        parts += f"{count}{unit}" if count else ""
    return parts
