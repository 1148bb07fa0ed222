"""The Kafka records of a batch on their way to the sinks: per topic an array of pairs of key and value, which SQL unnests.

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
    [[], [(b't1', b'{"score":0.5}')], []]
    >>> records.take()
    [[], [], []]
    """

    def __init__(self, payload: Literal["json", "avro"] = "json") -> None:
        self._codecs = {topic: AvroCodec.of(topic) for topic in AVRO_COLUMNS} if payload == "avro" else {}
        self._columns: dict[str, list[tuple[bytes, bytes]]] = {topic: [] for topic in SCORED_TOPICS}

    def add(self, topic: str, key: str, value: dict[str, Any]) -> None:
        """Add a record of a topic."""
        codec = self._codecs.get(topic)
        self._columns[topic].append((key.encode(), codec.encode(value) if codec else encode(value)))

    def take(self) -> list[list[tuple[bytes, bytes]]]:
        """Return the records of each topic, as the columns of the stage's output, and begin anew."""
        columns = list(self._columns.values())
        self._columns = {topic: [] for topic in SCORED_TOPICS}
        return columns
