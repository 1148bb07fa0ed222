"""The stream of the demo: a producer in a thread of its own that waits for nothing that happens around it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Literal

from connectors.data.dataset import Dataset
from connectors.kafka.produced import Produced
from connectors.kafka.producer import Producer
from jobs.demo.closed_loop import ClosedLoop

__all__ = ["DemoStream"]


class DemoStream:
    """Sends a dataset while the caller does other things; leaving the context stops it.

    Parameters
    ----------
    bootstrap
        Address of a broker, ``host:port``.
    dataset
        What to send.
    rate
        Transactions a second at most; fewer while the job does not keep up, see :class:`~jobs.demo.closed_loop.ClosedLoop`.
    payload
        How transactions are written.
    """

    def __init__(
        self, bootstrap: str, dataset: Dataset, rate: float, payload: Literal["json", "avro"] = "json"
    ) -> None:
        self.transactions = self.truths = 0
        self._stop = threading.Event()
        self._loop, self._begun_s = ClosedLoop(rate), time.monotonic()
        self._producer = Producer(
            bootstrap, rate=self._loop.rate, close=True, progress=self._progress, stop=self._stop, payload=payload
        )
        self._dataset = dataset
        self._produced: Produced | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="demo-stream", daemon=True)

    def __enter__(self) -> DemoStream:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=15)

    @property
    def share(self) -> float:
        """Share of the transactions that is sent, 0 to 1."""
        return self.transactions / len(self._dataset)

    @property
    def rate(self) -> float:
        """Transactions a second at present."""
        return min(self._loop.rate, self._loop.limit)

    def pace(self, rate: float) -> None:
        """Go on at so many transactions a second at most."""
        self._loop.limit = rate

    def keep_up(self, latencies_ms: Sequence[int]) -> None:
        """Go on as fast as the job keeps up with, by how long its newest answers took, milliseconds."""
        self._producer.pace(self._loop.look(time.monotonic() - self._begun_s, latencies_ms))

    def poll(self) -> Produced | None:
        """Return what was sent once all of it is acknowledged, None before.

        Raises
        ------
        ConnectionLostError
            If the broker was lost.
        """
        if self._failure is not None:
            raise self._failure
        return self._produced

    def _progress(self, transactions: int, truths: int) -> None:
        self.transactions, self.truths = transactions, truths

    def _run(self) -> None:
        try:
            self._produced = self._producer.run(self._dataset)
        except BaseException as error:
            self._failure = error
