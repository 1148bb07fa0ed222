"""The topics of the public contract: their settings are data in ``topics.json``; here they are read and created.

Every topic uses LogAppendTime, so a record's timestamp is its ingestion time, and none is compacted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from connectors.kafka.address import client_options
from udfs.domain.errors import ConnectionLostError

__all__ = ["TOPICS", "Topic", "create_topics"]


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as the stack creates it.

    Parameters
    ----------
    name
        Its name, part of the public contract.
    partitions
        How many partitions; fixed once it exists, because keys must keep their partition.
    retention_ms
        How long records are kept, in milliseconds; -1 is for ever.
    max_message_bytes
        The largest record batch it admits, in bytes.
    """

    name: str
    partitions: int
    retention_ms: int
    max_message_bytes: int

    def settings(self) -> dict[str, str]:
        """Return the topic's settings as the broker names them.

        Examples
        --------
        >>> Topic("weir.metadata", 1, -1, 1024).settings()["retention.ms"]
        '-1'
        """
        return {
            "cleanup.policy": "delete",
            "message.timestamp.type": "LogAppendTime",
            "retention.ms": str(self.retention_ms),
            "retention.bytes": "-1",
            "max.message.bytes": str(self.max_message_bytes),
        }


def _read() -> dict[str, Topic]:
    document = json.loads(files("connectors.kafka").joinpath("topics.json").read_text(encoding="utf-8"))
    return {name: Topic(name, **values) for name, values in document.items()}


TOPICS: dict[str, Topic] = _read()


def create_topics(bootstrap: str, topics: dict[str, Topic] = TOPICS) -> tuple[str, ...]:
    """Create the topics that do not exist yet; those that exist are left as they are.

    Parameters
    ----------
    bootstrap
        Address of a broker, ``host:port``.
    topics
        What to create.

    Returns
    -------
    tuple of str
        The names that were created now.

    Raises
    ------
    ConnectionLostError
        If the broker does not answer or refuses.
    """
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError, TopicAlreadyExistsError

    try:
        admin = KafkaAdminClient(**client_options(bootstrap), client_id="weir-topics")
        try:
            present = set(admin.list_topics())
            missing = [topic for name, topic in topics.items() if name not in present]
            if missing:
                admin.create_topics({topic.name: _request(topic) for topic in missing}, wait_for_metadata=True)
        except TopicAlreadyExistsError:
            missing = []  # another `weir up` was quicker
        finally:
            admin.close()
    except KafkaError as error:
        msg = f"Topics could not be created at Kafka {bootstrap}: got {error!r}. Is the broker up? See `weir status`."
        raise ConnectionLostError(msg) from error
    return tuple(topic.name for topic in missing)


def _request(topic: Topic) -> dict[str, Any]:
    return {"num_partitions": topic.partitions, "replication_factor": 1, "configs": topic.settings()}
