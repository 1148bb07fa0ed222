"""A stream whose truth misbehaves in every way the contract knows, in the order in which it is sent."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from connectors.data.dataset import Dataset

DAY_MS = 86_400_000
NEVER, FIRST, TWICE, CORRECTED, REVERSED, OUT_OF_ORDER = 0.3, 0.1, 0.1, 0.05, 0.01, 0.2
MOST_LATE_DAYS = 8
MOVED = 300
"""Places by which what is out of order comes later."""

Message = tuple[str, dict[str, Any]]


class LateTruth:
    """Generated transactions; of their truths shares come first, twice, corrected, taken back, out of order or never.

    It is sent as a :class:`~connectors.data.dataset.Dataset` is.

    Parameters
    ----------
    dataset
        Transactions with labels.
    seed
        Of the disorder.
    """

    def __init__(self, dataset: Dataset, seed: int) -> None:
        self._dataset = dataset
        self.shares = dict.fromkeys(("never", "first", "twice", "corrected", "reversed", "moved"), 0)
        self._messages = list(self._mix(random.Random(seed)))

    def __len__(self) -> int:
        return len(self._dataset)

    def interleaved(self) -> Iterator[Message]:
        """Yield (topic, message) in the order of sending."""
        yield from self._messages

    def _mix(self, chance: random.Random) -> list[Message]:
        """Return all messages: by the time they are known, but what comes first or out of order stands elsewhere."""
        timed: list[tuple[float, Message]] = []
        for transaction, truth in zip(self._dataset.transactions(), self._dataset.truths(), strict=True):
            timed.append((transaction["event_time_ms"], ("transactions", transaction)))
            if chance.random() < NEVER:
                self.shares["never"] += 1
                continue
            delay_ms = min(round(chance.expovariate(1 / DAY_MS)), MOST_LATE_DAYS * DAY_MS)
            known = truth | {"truth_time_ms": truth["event_time_ms"] + delay_ms}
            at = float(known["truth_time_ms"])
            if chance.random() < FIRST:
                self.shares["first"] += 1
                at = transaction["event_time_ms"] - DAY_MS / 2
            timed += [(at + place, ("truths", each)) for place, each in self._tellings(known, chance)]
        ordered = [message for _, message in sorted(timed, key=lambda each: each[0])]
        return self._disordered(ordered, chance)

    def _tellings(self, known: dict[str, Any], chance: random.Random) -> list[tuple[float, dict[str, Any]]]:
        """Return the truth, and what else is told of the transaction, with the milliseconds between."""
        told = [(0.0, known)]
        which = chance.random()
        if which < TWICE:
            self.shares["twice"] += 1
            told.append((DAY_MS / 8, dict(known)))
        elif which < TWICE + CORRECTED:
            self.shares["corrected"] += 1
            later = known["truth_time_ms"] + DAY_MS
            told.append((DAY_MS, known | {"label": 1 - known["label"], "revision": 1, "truth_time_ms": later}))
            if which < TWICE + REVERSED:
                self.shares["reversed"] += 1
                told.append((2 * DAY_MS, known | {"revision": 2, "truth_time_ms": later + DAY_MS}))
        return told

    def _disordered(self, ordered: list[Message], chance: random.Random) -> list[Message]:
        places = []
        for at in range(len(ordered)):
            moved = chance.random() < OUT_OF_ORDER
            self.shares["moved"] += moved
            places.append(at + chance.randint(1, MOVED) if moved else at)
        order = sorted(range(len(ordered)), key=places.__getitem__)
        return [ordered[at] for at in order]
