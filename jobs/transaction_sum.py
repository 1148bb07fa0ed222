"""The sum that says whether every transaction was answered exactly once."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["ChallengerSum", "TransactionSum"]


@dataclass(frozen=True, slots=True)
class ChallengerSum:
    """What one activation of a challenger scored.

    Parameters
    ----------
    role, version, deployment_seq
        The activation.
    scored
        Its inferences.
    missing
        Transactions it should have scored and did not: those the champion scored while it was active. The seconds in
        which it comes to, and leaves, the scorers one after the other are not judged.
    doubled
        Transactions it scored more than once.
    """

    role: str
    version: str
    deployment_seq: int
    scored: int
    missing: int
    doubled: int


@dataclass(frozen=True, slots=True)
class TransactionSum:
    """Records in ``transactions`` against champion inferences, dead letters and control records, by position.

    Parameters
    ----------
    transactions
        Records in the topic.
    inferences
        Champion inferences, those with a null score too.
    null_scores
        Champion inferences with a null score.
    dead_letters
        Positions of transactions with a dead letter; a letter that was written twice counts once.
    duplicates
        Those of them that repeat a transaction.
    controls
        Closing records.
    missing
        Positions that have none of the three: lost, or still on their way.
    doubled
        Positions that have more than one.
    unknown
        Positions named by an inference or a dead letter where the topic has no record.
    reasons
        Dead letters by reason.
    versions
        Inferences by ``model/version/role``.
    challengers
        The same sum for each activation of each challenger.
    first_missing, first_doubled
        Up to ten such positions, (partition, offset).
    """

    transactions: int
    inferences: int
    null_scores: int
    dead_letters: int
    duplicates: int
    controls: int
    missing: int
    doubled: int
    unknown: int
    reasons: dict[str, int] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    challengers: tuple[ChallengerSum, ...] = ()
    first_missing: tuple[tuple[int, int], ...] = ()
    first_doubled: tuple[tuple[int, int], ...] = ()

    @property
    def holds(self) -> bool:
        """Whether every transaction was answered exactly once, by the champion and by each challenger."""
        off = self.missing + self.doubled + self.unknown
        return not off and not any(each.missing + each.doubled for each in self.challengers)

    def to_json(self) -> dict[str, Any]:
        """Return the sum as ``weir status --json`` prints it."""
        return {**asdict(self), "holds": self.holds}

    def __str__(self) -> str:
        told = (
            f"{self.transactions:,} transactions = {self.inferences:,} inferences + {self.dead_letters:,} dead letters "
            f"({self.duplicates:,} duplicates) + {self.controls:,} closing records"
        )
        if self.holds:
            return told
        off = f"{told}: off, {self.missing:,} missing, {self.doubled:,} doubled, {self.unknown:,} unknown"
        first = self.first_missing or self.first_doubled
        where = f", the first at partition {first[0][0]} offset {first[0][1]}" if first else ""
        also = "".join(
            f"; {each.role} {each.version}: {each.missing:,} missing, {each.doubled:,} doubled"
            for each in self.challengers
            if each.missing + each.doubled
        )
        return off + where + also
