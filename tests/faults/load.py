"""The stream under which things break: one customer has a fifth of it, and the clocks of others are an hour off."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from connectors.data.dataset import Dataset
from tests.e2e.models import stream

__all__ = ["ROWS_A_DAY", "Load", "kind_of"]

ROWS_A_DAY = 10_000
"""What the generator's 5,000 customers do."""
HOT = "customer-with-a-fifth"
SKEW_MS = 3_600_000
TRUTH_DELAY_MS = 2 * 3_600_000
"""Short: with order = event_time nothing is released before the first truth tells what time it is."""


@dataclass(frozen=True)
class Load:
    """Generated transactions and truths, in the order in which they are sent.

    It has what :class:`connectors.kafka.producer.Producer` asks of a dataset.
    """

    dataset: Dataset

    @classmethod
    def of(cls, rows: int, seed: int) -> Load:
        """Return so many rows; every fifth is the hot customer's."""
        made = replace(stream(rows, seed=seed, days=max(1, rows // ROWS_A_DAY)), truth_delay_ms=TRUTH_DELAY_MS)
        customers = np.array([str(each) for each in made.columns.customer_id.tolist()], dtype=object)
        customers[::5] = HOT
        return cls(replace(made, columns=replace(made.columns, customer_id=customers)))

    def __len__(self) -> int:
        return len(self.dataset)

    @property
    def last_event_ms(self) -> int:
        return self.dataset.last_event_ms + SKEW_MS

    @property
    def last_time_ms(self) -> int:
        return self.dataset.last_time_ms + SKEW_MS

    def interleaved(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield (topic, message) in true order; the times in them are what the customer's clock says."""
        for topic, message in self.dataset.interleaved():
            if skew_ms := _skew_ms(message["customer_id"]):
                for name in ("event_time_ms", "truth_time_ms"):
                    if name in message:
                        message[name] += skew_ms
            yield topic, message


def kind_of(customer_id: str) -> str:
    """Tell which of the load's peculiarities a customer has: ``hot``, ``skewed`` or ``plain``."""
    if customer_id == HOT:
        return "hot"
    return "skewed" if _skew_ms(customer_id) else "plain"


def _skew_ms(customer_id: str) -> int:
    """A tenth of the customers are an hour behind, a tenth an hour ahead."""
    if customer_id == HOT:
        return 0
    return {0: -SKEW_MS, 1: SKEW_MS}.get(zlib.crc32(customer_id.encode()) % 10, 0)
