"""One thing a demo claims, and whether it turned out to be so."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Check"]


@dataclass(frozen=True, slots=True)
class Check:
    """A claim and its proof.

    Parameters
    ----------
    name
        The claim in two or three words.
    ok
        Whether it holds.
    told
        What was found, in figures.
    """

    name: str
    ok: bool
    told: str
