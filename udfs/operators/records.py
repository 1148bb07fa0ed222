"""The Kafka records of a batch on their way to the sinks: per topic an array of values and one of keys, which SQL unnests.

One crossing from Python to the JVM for a batch; and SQL takes key and value as they are, without a look into the text.
"""

from __future__ import annotations

from typing import Any, Literal

from udfs.domain.payload import encode
from udfs.operators.descriptors import SCORED_TOPICS
from udfs.wire.avro_codec import AvroCodec
from udfs.wire.avro_columns import AVRO_COLUMNS

__all__ = ["Records"]


class Records:
    """Collects records until they are taken.

    Parameters
    ----------
    payload
        With ``avro`` the topics that have columns are written in it.

    Examples
    --------
    >>> records = Records()
    >>> records.add("alerts", "t1", {"score": 0.5})
    >>> records.take()
    [[], [], [b'{"score":0.5}'], ['t1'], [], []]
    >>> records.take()
    [[], [], [], [], [], []]
    """

    def __init__(self, payload: Literal["json", "avro"] = "json") -> None:
        self._codecs = {topic: AvroCodec.of(topic) for topic in AVRO_COLUMNS} if payload == "avro" else {}
        self._columns: dict[str, tuple[list[bytes], list[str]]] = {topic: ([], []) for topic in SCORED_TOPICS}

    def add(self, topic: str, key: str, value: dict[str, Any]) -> None:
        """Add a record of a topic."""
        values, keys = self._columns[topic]
        codec = self._codecs.get(topic)
        values.append(codec.encode(value) if codec else encode(value))
        keys.append(key)

    def take(self) -> list[list[Any]]:
        """Return values and keys of each topic, as the columns of the stage's output, and begin anew."""
        columns: list[list[Any]] = [column for pair in self._columns.values() for column in pair]
        self._columns = {topic: ([], []) for topic in SCORED_TOPICS}
        return columns
