"""Reads one feature's definition as a row holds it: its parts by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from udfs.domain.errors import SettingsError

__all__ = ["defined_feature"]

Feature = TypeVar("Feature")


def defined_feature(kind: Callable[..., Feature], name: str, parts: dict[str, Any], told: str) -> Feature:
    """Make a feature of its parts.

    Parameters
    ----------
    kind
        Its class, which takes the name and then the parts.
    name
        The feature's name.
    parts
        What the row says of it.
    told
        What such a feature is called in a sentence.

    Raises
    ------
    SettingsError
        If parts are missing, unknown or impossible.
    """
    try:
        return kind(name, **parts)
    except TypeError as error:
        msg = f"The definition of {name!s:.80} has not the parts of a {told}: {str(error).split('()')[-1]:.80}."
        raise SettingsError(msg) from error
