"""Which faults a run does, in which order, and how many: a pure function of the minutes and the seed."""

from __future__ import annotations

import random
from dataclasses import dataclass

__all__ = ["FULL_MINUTES", "Plan"]

FULL_MINUTES = 40
"""What the whole list takes; a shorter run does the same kinds, each less often or for a shorter time."""
KILLS = {
    "taskmanager": 20,
    "jobmanager": 3,
    "kafka": 3,
    "connect": 5,
    "mlflow": 1,
    "zookeeper": 1,
    "api": 2,
    "notifier": 3,
}
DOWN_S = {"kafka": 60, "postgres": 300, "s3": 120}
SHORTEST_DOWN_S = 10
MALFORMED, SWAPS = 100_000, 100


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does.

    Parameters
    ----------
    faults
        In order: ``("kill", component)``, ``("down", component)``, ``("full", "checkpoints")``, ``("lose", "slot")``.
    down_s
        Seconds a component stays away.
    malformed, swaps
        How many malformed records are sent, how many times the champion changes.

    Examples
    --------
    >>> Plan.of(40, seed=1).faults.count(("kill", "taskmanager"))
    20
    >>> Plan.of(4, seed=1).down_s
    {'kafka': 10, 'postgres': 30, 's3': 12}
    """

    faults: tuple[tuple[str, str], ...]
    down_s: dict[str, int]
    malformed: int
    swaps: int

    @classmethod
    def of(cls, minutes: float, seed: int) -> Plan:
        """Return the plan for about so many minutes."""
        share = min(1.0, minutes / FULL_MINUTES)
        faults = [("kill", name) for name, count in KILLS.items() for _ in range(max(1, round(count * share)))]
        faults += [("down", name) for name in DOWN_S] + [("full", "checkpoints"), ("lose", "slot")]
        # Shuffled, so that no component dies so often in a row that the supervisor gives it up.
        random.Random(seed).shuffle(faults)
        down_s = {name: max(SHORTEST_DOWN_S, round(seconds * share)) for name, seconds in DOWN_S.items()}
        return cls(tuple(faults), down_s, max(500, round(MALFORMED * share)), max(5, round(SWAPS * share)))
