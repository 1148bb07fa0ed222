"""What a producer got acknowledged."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Produced"]


@dataclass(frozen=True, slots=True)
class Produced:
    """Counts of acknowledged records.

    Parameters
    ----------
    transactions, truths, controls
        Records that the broker acknowledged, by kind; controls are closing records.
    seconds
        From the first record sent to the last acknowledged.
    interrupted
        It was stopped before its end; then nothing was closed.
    """

    transactions: int
    truths: int
    controls: int
    seconds: float
    interrupted: bool

    @property
    def records_per_s(self) -> float:
        """Acknowledged records of all kinds a second.

        Examples
        --------
        >>> Produced(60, 30, 10, 2.0, False).records_per_s
        50.0
        """
        return (self.transactions + self.truths + self.controls) / self.seconds if self.seconds else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the counts as ``weir produce --json`` prints them."""
        return {**asdict(self), "seconds": round(self.seconds, 3), "records_per_s": round(self.records_per_s, 1)}

    def __str__(self) -> str:
        counts = f"{self.transactions:,} transactions, {self.truths:,} truths and {self.controls} closing records"
        told = f"{counts} acknowledged in {self.seconds:.1f} s, {self.records_per_s:,.0f} records/s"
        return f"stopped: {told}; nothing was closed" if self.interrupted else told
