"""Sends single records and tells where each came to stand: for requests that somebody waits for."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Literal

import orjson
from kafka import KafkaProducer
from kafka.errors import KafkaError

from connectors.kafka.errors import kafka_errors
from udfs.domain.errors import ConnectionLostError
from udfs.wire.encode_record import encode_record

__all__ = ["Sender"]

BLOCK_MS = 5_000
DELIVERY_MS = 10_000


class Sender:
    """Sends records at once, without collecting them; delivery is idempotent.

    Parameters
    ----------
    bootstrap
        Address of a broker, ``host:port``.
    payload
        How the topics are written that may be in Avro.
    """

    def __init__(self, bootstrap: str, payload: Literal["json", "avro"] = "json") -> None:
        self._bootstrap: str = bootstrap
        self._payload: Literal["json", "avro"] = payload
        self._client: KafkaProducer | None = None
        self._opening = threading.Lock()
        self._broken = False

    def send(self, topic: str, key: str, value: bytes) -> Future[tuple[int, int]]:
        """Hand a record, its value in JSON, to the client; the future gives its place once the broker has it.

        It may block for some seconds while no broker answers, so it is not to be called in an event loop.

        Raises
        ------
        ConnectionLostError
            At once, or from the future: the broker does not answer or refuses. Of a record that ran into a time-out
            nobody knows whether the broker has it.
        """
        answer: Future[tuple[int, int]] = Future()
        answer.set_running_or_notify_cancel()  # who no longer waits cannot cancel it: what is sent is sent
        if self._payload == "avro":
            value = encode_record(topic, orjson.loads(value), self._payload)
        with kafka_errors(f"send to the topic {topic}", self._bootstrap):
            sent = self._producer().send(topic, key=key.encode(), value=value)
        sent.add_callback(lambda at: answer.set_result((at.partition, at.offset)))
        sent.add_errback(lambda error: self._failed(topic, answer, error))
        return answer

    def close(self) -> None:
        """Wait shortly for what was sent, then let the client go."""
        with self._opening:
            self._let_go(timeout_s=5)

    def _let_go(self, timeout_s: float) -> None:
        if self._client is not None:
            self._client.close(timeout=timeout_s)
            self._client = None
        self._broken = False

    def _producer(self) -> KafkaProducer:
        with self._opening:
            if self._broken:
                # An idempotent client that lost a record may refuse all that come after; the next one numbers anew.
                self._let_go(timeout_s=0.5)
            if self._client is None:
                self._client = KafkaProducer(
                    bootstrap_servers=self._bootstrap,
                    client_id="weir-api",
                    acks="all",
                    enable_idempotence=True,
                    linger_ms=0,
                    max_request_size=17 * 1024 * 1024,
                    max_block_ms=BLOCK_MS,
                    bootstrap_timeout_ms=BLOCK_MS,
                    request_timeout_ms=BLOCK_MS,
                    delivery_timeout_ms=DELIVERY_MS,
                    allow_auto_create_topics=False,
                    metrics_enabled=False,
                )
            return self._client

    def _failed(self, topic: str, answer: Future[tuple[int, int]], error: BaseException) -> None:
        self._broken = True  # in the client's own thread, which cannot close it
        answer.set_exception(self._translated(topic, error))

    def _translated(self, topic: str, error: BaseException) -> ConnectionLostError:
        """Return the client's error as ours; what is none of its errors is told all the same."""
        cause = error if isinstance(error, KafkaError) else KafkaError(repr(error))
        try:
            with kafka_errors(f"send to the topic {topic}", self._bootstrap):
                raise cause
        except ConnectionLostError as translated:
            return translated
