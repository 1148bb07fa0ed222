"""SQL files with their ``{{placeholders}}`` filled in."""

from __future__ import annotations

import re
from importlib import resources

__all__ = ["statement"]

_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")


def statement(path: str, /, **values: object) -> str:
    """Read ``sql/<path>`` and fill in every placeholder.

    Parameters
    ----------
    path
        Path below the ``sql`` package, ``job/sharded.sql`` for example.
    values
        One value per placeholder name; values are ours or checked settings, never user text.

    Raises
    ------
    KeyError
        For a placeholder without a value.

    Examples
    --------
    >>> statement("job/predictions.sql").splitlines()[-1]
    'SELECT k, v FROM scored'
    """
    text = resources.files("sql").joinpath(path).read_text(encoding="utf-8")
    return _PLACEHOLDER.sub(lambda match: str(values[match.group(1)]), text)
