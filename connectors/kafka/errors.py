"""Translates what the Kafka client raises into this project's errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kafka.errors import KafkaError

from udfs.domain.errors import ConnectionLostError

__all__ = ["kafka_errors"]


@contextmanager
def kafka_errors(doing: str, bootstrap: str) -> Iterator[None]:
    """Turn errors of the Kafka client inside the block into :class:`ConnectionLostError`.

    Parameters
    ----------
    doing
        What could not be done, as in "could not DOING": ``read the topic inferences``.
    bootstrap
        Address of the broker, ``host:port``.

    Raises
    ------
    ConnectionLostError
        With the client's error as its cause.
    """
    try:
        yield
    except KafkaError as error:
        got = str(error) or type(error).__name__
        msg = f"Could not {doing} at Kafka {bootstrap}: got {got}. Is the broker up? See `weir status`."
        raise ConnectionLostError(msg) from error
