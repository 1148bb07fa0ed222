"""Says which settings are wrong, by the names people set them under; what a secret holds is never said."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

__all__ = ["is_secret", "wrong_settings"]

LONGEST_VALUE = 80
_CREDENTIALS = re.compile(r"[^/\s'\"]*@")


def wrong_settings(error: ValidationError, fields: Mapping[str, FieldInfo], prefix: str) -> str:
    """Return a sentence for each setting that pydantic refuses.

    Parameters
    ----------
    error
        What pydantic raised; it knows the values, secrets among them, so it must not be chained to what is shown.
    fields
        The settings, by name.
    prefix
        Of the environment variables.
    """
    found = error.errors(include_url=False, include_context=False)
    return " ".join(dict.fromkeys(_sentence(each, fields, prefix) for each in found))


def is_secret(field: FieldInfo) -> bool:
    """Tell whether a setting is a secret, which may stand in a file instead."""
    return _names_secret(field.annotation)


def _names_secret(annotation: Any) -> bool:  # noqa: ANN401
    return annotation is SecretStr or any(_names_secret(each) for each in get_args(annotation))


def _sentence(detail: ErrorDetails, fields: Mapping[str, FieldInfo], prefix: str) -> str:
    said = detail["msg"].removeprefix("Value error, ")
    if not detail["loc"]:  # a rule over several settings, which writes its own sentence
        return said
    name = str(detail["loc"][0])
    variable = f"{prefix}{name}".upper()
    if name not in fields:
        return f"{variable} is no setting; see jobs/settings.py for those there are."
    reason = said.rstrip(".")
    if reason.startswith(variable):  # a library's own sentence about it
        return f"{reason}."
    if reason[1:2].islower():
        reason = f"{reason[:1].lower()}{reason[1:]}"
    about = f" ({fields[name].description})" if fields[name].description else ""
    if is_secret(fields[name]):
        return f"{variable} cannot be used: {reason}{about}. Correct it; its value is not shown."
    return f"{variable} is {_shown(detail['input'])}, which cannot be used: {reason}{about}. Correct or unset it."


def _shown(value: Any) -> str:  # noqa: ANN401
    """Return a value as it may be printed: short, and without what stands before an @ in an address.

    Examples
    --------
    >>> _shown("https://weir:hush@s3.example.com"), _shown("many")
    ("'https://***@s3.example.com'", "'many'")
    """
    text = repr(str(value))
    shown = _CREDENTIALS.sub("***@", text)
    return shown if len(shown) <= LONGEST_VALUE else f"{shown[:LONGEST_VALUE]}...'"
