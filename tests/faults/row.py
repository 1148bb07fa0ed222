"""A line of the fault table, and the table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

__all__ = ["Row", "table_of"]


@dataclass
class Row:
    """What a kind of fault did.

    Parameters
    ----------
    fault
        What was done.
    times
        How often.
    recovery_s
        Seconds until all was well again, each time.
    transactions
        How many came while it lasted and until all was well.
    result
        What was found, in words.
    passed
        Whether it is what must be; None for a fault that could not be made here, ``result`` says why.
    """

    fault: str
    times: int = 0
    recovery_s: list[float] = field(default_factory=list)
    transactions: int = 0
    result: str = ""
    passed: bool | None = True


def table_of(rows: Iterable[Row]) -> str:
    """Return the table as Markdown."""
    lines = ["| fault | times | recovery | transactions under it | result |", "|---|---|---|---|---|"]
    for row in rows:
        recovery = ""
        if row.recovery_s:
            times = sorted(row.recovery_s)
            recovery = f"{times[-1]:.0f} s"
            if len(times) > 1:
                recovery = f"median {times[len(times) // 2]:.0f} s, longest {times[-1]:.0f} s"
        verdict = {True: row.result, False: f"**FAILED**: {row.result}", None: f"not made here: {row.result}"}[
            row.passed
        ]
        lines.append(f"| {row.fault} | {row.times} | {recovery} | {row.transactions:,} | {verdict} |")
    return "\n".join(lines)
