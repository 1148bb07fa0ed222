"""The Kafka records of a batch on their way to the sinks: per topic an array of values and one of keys, which SQL unnests.

One crossing from Python to the JVM for a batch; and SQL takes key and value as they are, without a look into the text.
"""

from __future__ import annotations

from typing import Any

from udfs.domain.payload import encode
from udfs.operators.descriptors import SCORED_TOPICS

__all__ = ["Records"]


class Records:
    """Collects records until they are taken.

    Examples
    --------
    >>> records = Records()
    >>> records.add("alerts", "t1", {"score": 0.5})
    >>> records.take()
    [[], [], ['{"score":0.5}'], ['t1'], [], []]
    >>> records.take()
    [[], [], [], [], [], []]
    """

    def __init__(self) -> None:
        self._columns: dict[str, tuple[list[str], list[str]]] = {topic: ([], []) for topic in SCORED_TOPICS}

    def add(self, topic: str, key: str, value: dict[str, Any]) -> None:
        """Add a record of a topic."""
        values, keys = self._columns[topic]
        values.append(encode(value))
        keys.append(key)

    def take(self) -> list[list[str]]:
        """Return values and keys of each topic, as the columns of the stage's output, and begin anew."""
        columns = [column for pair in self._columns.values() for column in pair]
        self._columns = {topic: ([], []) for topic in SCORED_TOPICS}
        return columns
