"""Watches scores arrive as a consumer of committed records would see them, while the stream runs."""

from __future__ import annotations

import threading
import time
from array import array
from collections import Counter
from types import TracebackType
from typing import Any

import numpy as np
import orjson
from kafka import KafkaConsumer, TopicPartition

from connectors.kafka.address import client_options
from connectors.kafka.errors import kafka_errors
from connectors.kafka.json_value import json_value
from connectors.kafka.topics import TOPICS
from udfs.domain.deployment import CHAMPION

__all__ = ["ScoreWatch"]

WATCHED = ("inferences", "model_events")
RECENT = 2_000


class ScoreWatch:
    """A ``read_committed`` consumer of ``inferences`` and ``model_events`` in a thread of its own.

    What it measures is the time from a transaction's append to this process holding its committed inference.

    Parameters
    ----------
    bootstrap
        Address of a broker, ``host:port``.
    partitions
        Watch the inferences of the first so many partitions only: a sample costs a fraction of the time. None for all.
    """

    def __init__(self, bootstrap: str, *, partitions: int | None = None) -> None:
        self._bootstrap, self._partitions = bootstrap, partitions
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="score-watch", daemon=True)
        self.scored: Counter[str] = Counter()
        """Committed champion inferences by version, those with a null score under ``-``."""
        self.events: list[dict[str, Any]] = []
        """Records of ``model_events`` so far."""
        self.newest_version = ""
        """The version of the latest committed champion inference."""
        self._appended_ms, self._committed_ms = array("q"), array("q")
        self._told = 0

    def __enter__(self) -> ScoreWatch:
        self._thread.start()
        self._ready.wait(timeout=30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=15)

    def check(self) -> None:
        """Raise what ended the watching, if something did."""
        if self._failure is not None:
            raise self._failure

    @property
    def committed_ms(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Milliseconds from a transaction's append to its committed inference being here, one per champion inference."""
        return np.array(self._committed_ms, dtype=np.int64)

    def recent_p50_ms(self) -> float | None:
        """Return the median of the latest inferences' append time minus the append time of their transactions."""
        recent = self._appended_ms[-RECENT:]
        return float(np.median(recent)) if recent else None

    def new_latencies_ms(self) -> list[int]:
        """Return, of each inference that came since the last call, its append time minus that of its transaction."""
        known = len(self._appended_ms)
        found = self._appended_ms[self._told : known].tolist()
        self._told = known
        return found

    def event_of(self, version: str, event: str) -> dict[str, Any] | None:
        """Return the first record of ``model_events`` that says this of a version."""
        return next((e for e in self.events if (e["version"], e["event"]) == (version, event)), None)

    def _run(self) -> None:
        try:
            with kafka_errors("watch the scores", self._bootstrap):
                self._watch()
        except BaseException as error:
            self._failure = error
        finally:
            self._ready.set()

    def _watch(self) -> None:
        consumer = KafkaConsumer(
            **client_options(self._bootstrap),
            client_id="weir-demo",
            isolation_level="read_committed",
            enable_auto_commit=False,
            check_crcs=False,
            fetch_max_wait_ms=20,
            max_poll_records=5_000,
            metrics_enabled=False,
        )
        try:
            parts = [TopicPartition(name, n) for name in WATCHED for n in range(TOPICS[name].partitions)]
            consumer.assign([at for at in parts if at.topic != "inferences" or self._watches(at.partition)])
            consumer.seek_to_beginning()
            self._ready.set()
            while not self._stop.is_set():
                batches = consumer.poll(timeout_ms=200)
                here_ms = time.time_ns() // 1_000_000
                for at, records in batches.items():
                    take = self._take_inference if at.topic == "inferences" else self._take_event
                    for record in records:
                        take(orjson.loads(json_value(at.topic, record.value) or b"{}"), record.timestamp, here_ms)
        finally:
            consumer.close()

    def _watches(self, partition: int) -> bool:
        return self._partitions is None or partition < self._partitions

    def _take_inference(self, inference: dict[str, Any], appended_ms: int, here_ms: int) -> None:
        if inference["role"] != CHAMPION:
            return
        self.newest_version = inference["version"] or "-"
        self.scored[self.newest_version if inference["score"] is not None else "-"] += 1
        self._appended_ms.append(appended_ms - inference["ingestion_time_ms"])
        self._committed_ms.append(here_ms - inference["ingestion_time_ms"])

    def _take_event(self, event: dict[str, Any], appended_ms: int, here_ms: int) -> None:
        self.events.append(event)
