"""Why a message cannot be used."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Rejection"]


@dataclass(frozen=True, slots=True)
class Rejection:
    """A message that becomes a dead letter.

    Parameters
    ----------
    reason
        One word with underscores, as published in ``dead_letters``; see ``udfs.domain.parsing`` for the list.
    detail
        What was got and what was expected, in a sentence that holds nothing of the payload but numbers and types.
    """

    reason: str
    detail: str
