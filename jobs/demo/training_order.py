"""What a version of the demo is to be trained on, as a plain value that travels to the training process."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import orjson

from connectors.data.dataset import Dataset, open_dataset

__all__ = ["TrainingOrder"]


@dataclass(frozen=True, slots=True)
class TrainingOrder:
    """Rows of a dataset and an algorithm.

    Parameters
    ----------
    source
        ``generator``, or the path of a data file.
    rows
        How many rows to open.
    days
        Event days of the generator.
    last
        The version learns from the rows before this one.
    algorithm
        Name out of :data:`jobs.training.algorithms.ALGORITHMS`.
    nice
        How far the training process steps back behind the job while it trains: 0 not at all, 19 the most.
    """

    source: str
    rows: int
    days: int
    last: int
    algorithm: str
    nice: int = 0

    def dataset(self) -> Dataset:
        """Open the rows to learn from; the same order gives the same rows in any process."""
        return open_dataset(self.source, rows=self.rows, days=self.days).part(0, self.last)

    def to_json(self) -> bytes:
        """Write the order on one line."""
        return orjson.dumps(asdict(self))

    @classmethod
    def from_json(cls, data: bytes) -> TrainingOrder:
        """Read what :meth:`to_json` wrote.

        Examples
        --------
        >>> order = TrainingOrder("generator", 5_000, 82, 1_200, "half-space-trees")
        >>> TrainingOrder.from_json(order.to_json()) == order
        True
        """
        return cls(**orjson.loads(data))
