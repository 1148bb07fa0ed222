"""How one version did against another on the same labelled transactions: what a promotion is decided by."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Evidence"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A paired comparison.

    Parameters
    ----------
    version, other
        Who is judged, and against whom.
    scored
        Transactions the judged version scored in the stream.
    positives, negatives
        Frauds and genuine transactions with a truth that both scored and neither was trained on.
    difference
        ROC AUC of ``version`` less that of ``other``; None where a class is missing.
    low, high
        DeLong's paired interval of the difference; None where there is none.
    """

    version: str
    other: str
    scored: int
    positives: int
    negatives: int
    difference: float | None = None
    low: float | None = None
    high: float | None = None

    def said(self) -> str:
        """Return the difference in words."""
        return f"the difference of ROC AUC of version {self.version} to version {self.other}, {self.difference:+.4f}"

    def interval(self) -> str:
        """Return the interval in brackets."""
        return f"({self.low:+.4f} to {self.high:+.4f})"
