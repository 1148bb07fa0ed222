"""One row of ``weir.retraining_decision``: what ``weir retrain`` decided, and by what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["RetrainingDecision"]


@dataclass(frozen=True, slots=True)
class RetrainingDecision:
    """A decision.

    Parameters
    ----------
    model
        The registered model.
    action
        ``train`` (and deploy), ``skip`` (nothing to learn), ``promote``, ``retire`` or ``wait`` of a challenger,
        ``rollback`` or ``keep`` of a champion.
    version
        The version it is about; None where none came of it.
    other
        The version it was compared with, or went on from.
    reason
        In words, with the figures.
    difference, ci_low, ci_high
        ROC AUC of ``version`` less that of ``other``, and DeLong's paired interval; None where nothing was compared.
    positives, negatives
        Transactions it was judged by.
    tag
        Of the snapshots it was trained on.
    dry_run
        Nothing was changed.
    who
        Who ran it.
    """

    model: str
    action: Literal["train", "skip", "promote", "retire", "wait", "rollback", "keep"]
    version: str | None
    other: str | None
    reason: str
    difference: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    positives: int | None = None
    negatives: int | None = None
    tag: str | None = None
    dry_run: bool = False
    who: str = ""
