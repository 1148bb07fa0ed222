"""When a challenger takes the champion's place, when it gives up, and when a champion gives way to its predecessor.

Pure: evidence in, verdict out. Every look at the same challenger is another chance to be wrong, so the chance of a wrong
verdict is shared out over all looks there may ever be: the k-th may use 1 / (k (k + 1)) of it, which sums to one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from udfs.domain.errors import SettingsError
from udfs.domain.evidence import Evidence

__all__ = ["PromotionPolicy", "Verdict"]

Action = Literal["promote", "retire", "wait", "rollback", "keep"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do, and why in a sentence that names the figures.

    Parameters
    ----------
    action
        ``promote``, ``retire`` or ``wait`` for a challenger; ``rollback`` or ``keep`` for a champion.
    reason
        Without a full stop.
    """

    action: Action
    reason: str


@dataclass(frozen=True, slots=True)
class PromotionPolicy:
    """The stated policy of ``weir retrain``.

    Parameters
    ----------
    confidence
        Of the whole trial of one challenger, however often it is looked at; in (0, 1).
    min_positives
        Frauds known by now on which both versions are judged; fewer are no evidence.
    min_scored
        Transactions the challenger must have scored in the stream: before that it is not warm.
    max_positives
        The trial ends without promotion when so many frauds could not tell the two apart.

    Raises
    ------
    SettingsError
        For a number out of its range.

    Examples
    --------
    >>> policy = PromotionPolicy(min_positives=30, min_scored=1_000)
    >>> policy.judge_challenger(Evidence("2", "1", 5_000, 40, 4_000, 0.04, 0.01, 0.07)).action
    'promote'
    >>> policy.judge_challenger(Evidence("2", "1", 5_000, 40, 4_000, 0.02, -0.01, 0.05)).reason
    'the difference of ROC AUC of version 2 to version 1, +0.0200, may be chance (-0.0100 to +0.0500)'
    """

    confidence: float = 0.95
    min_positives: int = 50
    min_scored: int = 1_000
    max_positives: int = 2_000

    def __post_init__(self) -> None:
        if not 0 < self.confidence < 1:
            msg = f"The confidence must lie between 0 and 1, got {self.confidence}; 0.95 is usual."
            raise SettingsError(msg)
        if not 2 <= self.min_positives <= self.max_positives or self.min_scored < 1:
            msg = (
                "A trial needs 2 <= min positives <= max positives and at least 1 transaction scored, got "
                f"{self.min_positives}, {self.max_positives} and {self.min_scored}."
            )
            raise SettingsError(msg)

    def confidence_at(self, look: int) -> float:
        """Return the confidence of the interval at the ``look``-th look, counted from 1.

        Examples
        --------
        >>> [round(PromotionPolicy().confidence_at(look), 4) for look in (1, 2, 3)]
        [0.975, 0.9917, 0.9958]
        """
        return 1.0 - (1.0 - self.confidence) / (look * (look + 1))

    def too_early(self, evidence: Evidence) -> str | None:
        """Say why there is nothing to judge by yet; None when there is."""
        if evidence.scored < self.min_scored:
            return f"version {evidence.version} is not warm: it scored {evidence.scored:,} of {self.min_scored:,}"
        if evidence.positives < self.min_positives:
            return f"{evidence.positives:,} of {self.min_positives:,} frauds are known that both versions were new to"
        if evidence.low is None or evidence.high is None:
            return "there is no interval of the difference: too few of a class, or scores without variance"
        return None

    def judge_challenger(self, evidence: Evidence) -> Verdict:
        """Judge a challenger against the champion."""
        early = self.too_early(evidence)
        if early is not None or evidence.low is None or evidence.high is None:
            return Verdict("wait", str(early))
        if evidence.low > 0:
            return Verdict("promote", f"{evidence.said()} and with confidence above zero {evidence.interval()}")
        if evidence.high < 0:
            return Verdict("retire", f"{evidence.said()} and with confidence below zero {evidence.interval()}")
        if evidence.positives >= self.max_positives:
            return Verdict(
                "retire", f"{evidence.positives:,} frauds could not tell it from version {evidence.other} "
                f"{evidence.interval()}"
            )  # fmt: skip
        return Verdict("wait", f"{evidence.said()}, may be chance {evidence.interval()}")

    def judge_champion(self, evidence: Evidence) -> Verdict:
        """Judge the champion against the version that was champion before it."""
        early = self.too_early(evidence)
        if early is not None or evidence.high is None:
            return Verdict("keep", str(early))
        if evidence.high < 0:
            return Verdict("rollback", f"{evidence.said()} and with confidence below zero {evidence.interval()}")
        return Verdict("keep", f"{evidence.said()}, is not with confidence below zero {evidence.interval()}")
