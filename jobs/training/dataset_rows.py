"""Rows of a data file or of the generator as training data: their features are computed here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from connectors.data.dataset import Dataset
from jobs.training.training_course import Example
from jobs.training.training_examples import examples_of
from udfs.domain.feature_set import FeatureSet

__all__ = ["DatasetRows"]


@dataclass(frozen=True, slots=True)
class DatasetRows:
    """A dataset from one of its rows on.

    Parameters
    ----------
    dataset
        All rows; those before ``first_row`` only fill the windows.
    first_row
        Index of the first row to learn from.
    """

    dataset: Dataset
    first_row: int = 0

    def __len__(self) -> int:
        return max(len(self.dataset) - self.first_row, 0)

    @property
    def last_event_ms(self) -> int:
        """Time of the last event, epoch milliseconds; 0 when empty."""
        return self.dataset.last_event_ms

    def for_kind(self, *, supervised: bool) -> DatasetRows:
        """Return all of them: what is learned from which row is the course's to decide."""
        del supervised
        return self

    def after(self, header: Mapping[str, Any]) -> DatasetRows:
        """Return the rows later than the last event a version learned from."""
        times = self.dataset.columns.event_time_ms
        first = int(np.searchsorted(times, header["trained_until_ms"], side="right"))
        return replace(self, first_row=max(self.first_row, first))

    def examples(self, features: FeatureSet) -> Iterator[Example]:
        """Yield them in event order, with their features."""
        return examples_of(self.dataset, features, self.first_row)

    def describe(self) -> dict[str, Any]:
        """Return the rows' origin, and where the history that fills the windows begins."""
        return {**self.dataset.part(self.first_row).describe(), "history_first_row": self.dataset.first_row}
