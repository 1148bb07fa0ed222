"""What training asks of the events it learns from, wherever they are from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from jobs.training.training_course import Example
from udfs.domain.feature_set import FeatureSet

__all__ = ["TrainingData"]


class TrainingData(Protocol):
    """Events in event order that can say which they are."""

    def __len__(self) -> int:
        """Return how many there are to learn from."""
        ...

    @property
    def last_event_ms(self) -> int:
        """Time of the last event, epoch milliseconds; 0 when empty."""
        ...

    def for_kind(self, *, supervised: bool) -> TrainingData:
        """Return what a supervised or an unsupervised model learns from."""
        ...

    def after(self, header: Mapping[str, Any]) -> TrainingData:
        """Return what the version with this artifact header has not learned yet."""
        ...

    def examples(self, features: FeatureSet) -> Iterator[Example]:
        """Yield them in event order."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return what a training record needs to open them again, JSON-able."""
        ...
