"""Sends a dataset to ``transactions`` and ``truths``: for ``weir produce``, and in a thread of ``weir demo``.

Transactions are keyed by customer, truths by transaction, so each keeps its order in its partition. Delivery is
idempotent: the client's own retries never write a record twice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from kafka import KafkaProducer

from connectors.data.dataset import Dataset
from connectors.data.truth_file import TruthFile
from connectors.kafka.address import client_options
from connectors.kafka.errors import kafka_errors
from connectors.kafka.pacer import Pacer
from connectors.kafka.produced import Produced
from udfs.domain.errors import ConnectionLostError
from udfs.wire.encode_record import encode_record

__all__ = ["Producer"]

KEYS = {"transactions": "customer_id", "truths": "transaction_id"}
CLOSE_AFTER_MS = 400 * 86_400_000
"""The closing record lies so far after the last time: past the last window and past any retention of truths."""
AHEAD_MS = 23 * 3_600_000
"""But never further than this after now: the job refuses times a day ahead."""
MOST_IN_FLIGHT = 50_000
"""The client's buffer has no bound of its own."""
PROGRESS_EVERY_S = 0.1
DELIVERY_S = 600
"""So long is a record tried again before it counts as refused."""


class Producer:
    """Sends datasets at a rate.

    Parameters
    ----------
    bootstrap
        Address of a broker, ``host:port``.
    rate
        Transactions a second, evenly spread; truths ride along. None sends as fast as it can.
    live
        Send no record before its own time: for data restamped to now.
    close
        End with a control record in each partition of both topics.
    progress
        Called up to ten times a second with the transactions and the truths sent so far.
    stop
        Once set, nothing more is sent; what was sent is still waited for.
    payload
        How transactions are written.

    Examples
    --------
    In a thread, next to other work::

        producer = Producer("127.0.0.1:19092", rate=1_500, stop=stop)
        thread = Thread(target=producer.run, args=(dataset,))
    """

    def __init__(
        self,
        bootstrap: str,
        *,
        rate: float | None = None,
        live: bool = False,
        close: bool = True,
        progress: Callable[[int, int], None] | None = None,
        stop: threading.Event | None = None,
        payload: Literal["json", "avro"] = "json",
    ) -> None:
        self._payload: Literal["json", "avro"] = payload
        self._bootstrap, self._live, self._close = bootstrap, live, close
        self._progress = progress or (lambda transactions, truths: None)
        self._stop = stop or threading.Event()
        self._pacer = Pacer(rate, sleep=self._stop.wait)
        self._sent = {"transactions": 0, "truths": 0}
        self._acknowledged = {"transactions": 0, "truths": 0, "control": 0}
        self._counting = threading.Lock()
        self._failure: Exception | None = None

    @property
    def acknowledged(self) -> int:
        """Records acknowledged so far, of all kinds; may be read from another thread."""
        return sum(self._acknowledged.values())

    @property
    def sent(self) -> int:
        """Transactions and truths handed to the client so far; may be read from another thread."""
        return sum(self._sent.values())

    def pace(self, rate: float | None) -> None:
        """Go on at so many transactions a second; may be called from another thread."""
        self._pacer.pace(rate)

    def run(self, dataset: Dataset | TruthFile) -> Produced:
        """Send a dataset to its end, or until told to stop, and wait until everything sent is acknowledged.

        Raises
        ------
        ConnectionLostError
            If the broker does not answer, lacks a topic or refuses a record; the text says how many records it has.
        """
        with kafka_errors("produce", self._bootstrap), self._client() as client:
            partitions = {topic: client.partitions_for(topic) for topic in KEYS}
            started = time.monotonic()
            finished = self._send_all(client, dataset)
            if self._close and finished:
                self._send_close(client, dataset, partitions)
            if self._failure is None:
                # With a bound: where the broker does not come back, the client itself would wait for ever.
                client.flush(timeout=DELIVERY_S)
            seconds = time.monotonic() - started
        self._progress(*self._sent.values())
        if self._failure is not None:
            msg = f"Kafka {self._bootstrap} refused a record after {self.acknowledged:,}: got {self._failure!r}."
            raise ConnectionLostError(msg) from self._failure
        done = self._acknowledged
        return Produced(done["transactions"], done["truths"], done["control"], seconds, not finished)

    def _send_all(self, client: KafkaProducer, dataset: Dataset | TruthFile) -> bool:
        """Send everything; return False when stopped or refused before the end."""
        told = time.monotonic()
        last = len(dataset)
        for topic, message in dataset.interleaved():
            if topic == "transactions":
                self._pacer.wait()
                self._wait_for(message["event_time_ms"])
            elif self._sent["transactions"] < last:
                self._wait_for(message["truth_time_ms"])
            else:
                # Nobody waits a week for the last truths: they are sent now, and so they are known now.
                message["truth_time_ms"] = max(message["event_time_ms"], min(message["truth_time_ms"], _now_ms()))
            if self._stop.is_set() or self._failure is not None:
                return False
            self._send(client, topic, message[KEYS[topic]].encode(), message)
            self._sent[topic] += 1
            if not self.sent % 64:
                while self.sent - self.acknowledged > MOST_IN_FLIGHT and self._failure is None:
                    time.sleep(0.005)
                if time.monotonic() - told > PROGRESS_EVERY_S:
                    told = time.monotonic()
                    self._progress(*self._sent.values())
        return True

    def _wait_for(self, time_ms: int) -> None:
        if self._live and time_ms > _now_ms():
            self._stop.wait((time_ms - _now_ms()) / 1_000)

    def _send(self, client: KafkaProducer, topic: str, key: bytes, message: dict[str, Any]) -> None:
        sent = client.send(topic, key=key, value=encode_record(topic, message, self._payload))
        sent.add_callback(self._count, topic).add_errback(self._fail)

    def _send_close(self, client: KafkaProducer, dataset: Dataset | TruthFile, partitions: dict[str, set[int]]) -> None:
        time_ms = max(dataset.last_event_ms, min(dataset.last_time_ms + CLOSE_AFTER_MS, _now_ms() + AHEAD_MS))
        close = {"control": "close", "event_time_ms": time_ms}
        for topic, numbers in partitions.items():
            value = encode_record(topic, close, self._payload)
            for partition in sorted(numbers):
                sent = client.send(topic, value=value, partition=partition)
                sent.add_callback(self._count, "control").add_errback(self._fail)

    def _count(self, kind: str, _where: object) -> None:
        # Called in the client's thread, or in this one for a record that was acknowledged at once.
        with self._counting:
            self._acknowledged[kind] += 1

    def _fail(self, error: Exception) -> None:
        self._failure = self._failure or error

    @contextmanager
    def _client(self) -> Iterator[KafkaProducer]:
        client = KafkaProducer(
            **client_options(self._bootstrap),
            client_id="weir-produce",
            acks="all",
            enable_idempotence=True,
            # Fewer bytes for the client's pure Python checksum: faster than none, not only smaller.
            compression_type="gzip",
            batch_size=256 * 1024,
            linger_ms=20,
            max_request_size=17 * 1024 * 1024,
            max_block_ms=10_000,
            # A broker may be away for minutes: what was sent waits, and is tried every second once it is back.
            delivery_timeout_ms=DELIVERY_S * 1_000,
            reconnect_backoff_max_ms=1_000,
            bootstrap_timeout_ms=10_000,
            allow_auto_create_topics=False,
            metrics_enabled=False,
        )
        try:
            yield client
        finally:
            client.close(timeout=30 if self._failure is None else 0)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
