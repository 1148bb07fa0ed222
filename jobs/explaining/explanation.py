"""What is known about one transaction, as values; :mod:`jobs.explaining.explain_transaction` gathers them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Explanation", "Judgement"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """One version's score, and the same score made again now.

    Parameters
    ----------
    inference
        The record of the topic.
    trained
        The header's ``training``, ``parent`` and ``trained_until_ms``; empty where no version scored.
    commit
        Of the code that trained it; empty where the registry does not say.
    again
        ``equal``, ``differs: ...`` or why it could not be scored again.
    roc_auc
        The newest whole-life row of ``model_quality`` of this version and role, by event time; None without one.
    """

    inference: dict[str, Any]
    trained: dict[str, Any]
    commit: str
    again: str
    roc_auc: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What there is.

    Parameters
    ----------
    transaction_id
        Which.
    event
        The message as it came, with ``partition`` and ``offset``; None where it is gone or never came.
    judgements
        The champion's first.
    alerts, truths
        The records, truths by revision.
    dead
        Dead letters of this transaction's position: repeats, or what was wrong with it.
    past
        The newest earlier events of the same customer, the newest first, and those of the terminal.
    """

    transaction_id: str
    event: dict[str, Any] | None
    judgements: tuple[Judgement, ...] = ()
    alerts: tuple[dict[str, Any], ...] = ()
    truths: tuple[dict[str, Any], ...] = ()
    dead: tuple[dict[str, Any], ...] = ()
    past: tuple[dict[str, Any], ...] = field(default=())

    @property
    def equal(self) -> bool:
        """Whether no score came out differently."""
        return not any(each.again.startswith("differs") for each in self.judgements)
