"""Keeps one document about the stream and its models up to date: for the page, its events, and the report."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from connectors.kafka.reader import end_offsets
from connectors.kafka.topic_cursor import TopicCursor
from jobs.watching.registry_view import RegistryView
from jobs.watching.stream_tally import StreamTally
from udfs.domain.errors import WeirError

__all__ = ["Watch"]

TOPICS = ("inferences", "model_quality", "alerts", "model_events", "dead_letters")
MOST_RECORDS = 400_000
"""Of a topic; older ones are passed over, so that a page opens in bounded time."""
NOTHING_AROUND: dict[str, Any] = {
    "deployments": [],
    "history": [],
    "versions": [],
    "notifications": None,
    "job": None,
}
"""What the registry and the job are before they were asked: a document always has all its parts."""
LOOK_EVERY_S = 5.0
POLL_S = 0.5
RETRY_S = 3.0


class Watch:
    """Reads topics, registry and job in a thread of its own once it is started; or all there is, once, for a report.

    Parameters
    ----------
    bootstrap
        Kafka's address, ``host:port``.
    model
        The registered model of the stream.
    registry
        Roles, versions and the queue.
    figures
        Returns how the job keeps up (:func:`jobs.job_figures.job_figures`), or None where it does not run.
    """

    def __init__(
        self, bootstrap: str, model: str, registry: RegistryView, figures: Callable[[], Mapping[str, Any] | None]
    ) -> None:
        self._bootstrap, self._model = bootstrap, model
        self._registry, self._figures = registry, figures
        self._tally = StreamTally(model)
        self._cursor: TopicCursor | None = None
        self._behind = -1
        self._around = dict(NOTHING_AROUND)
        self._troubles: dict[str, list[str]] = {"topics": [], "around": []}
        self._stop, self._starting = threading.Event(), threading.Lock()
        self._thread: threading.Thread | None = None
        self._document: dict[str, Any] = self._compose()
        self._revision = 0

    @property
    def revision(self) -> int:
        """Counts the documents: who has seen this one needs no other."""
        return self._revision

    def document(self) -> dict[str, Any]:
        """Return the newest document; it is replaced, never changed."""
        return self._document

    def start(self) -> None:
        """Begin to read, unless it has begun; returns at once."""
        with self._starting:
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the thread and leave the servers; returns when it has ended, or after ten seconds."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(10)

    def read_all(self, progress: Callable[[int, int], None] = lambda done, total: None) -> dict[str, Any]:
        """Read everything there is now, in this thread, and return the document.

        Parameters
        ----------
        progress
            Called with how many offsets are done and how many there are.

        Raises
        ------
        ConnectionLostError
            If Kafka does not answer; what else does not is named in the document.
        """
        self._cursor = self._open()
        try:
            total = self._behind = self._cursor.behind()
            while self._behind > 0:
                self._take(self._cursor, POLL_S)
                self._behind = self._cursor.behind()
                progress(total - self._behind, total)
        finally:
            self._leave()
        self._look_around()
        self._registry.close()
        return self._compose()

    def quality_rows(self) -> list[dict[str, Any]]:
        """Return the newest row of each window, for charts that are drawn elsewhere."""
        return self._tally.quality_rows()

    def _run(self) -> None:
        look_at = 0.0
        while not self._stop.is_set():
            news = self._read_topics()
            if time.monotonic() >= look_at:
                self._look_around()
                look_at, news = time.monotonic() + LOOK_EVERY_S, True
            if news:
                self._document = self._compose()
                self._revision += 1
        self._leave()
        self._registry.close()

    def _read_topics(self) -> bool:
        """Take what has come for up to a second; return whether something has, or what is wrong has changed."""
        before = self._troubles["topics"]
        try:
            cursor = self._cursor = self._cursor or self._open()
            until, taken = time.monotonic() + 1.0, 0
            while time.monotonic() < until and not self._stop.is_set():
                taken += self._take(cursor, POLL_S)
            behind = cursor.behind()
            news = taken > 0 or (behind == 0) != (self._behind == 0)
            self._behind, self._troubles["topics"] = behind, []
        except WeirError as error:
            # What was read stays; it goes on from the beginning of what it keeps, in a tally of its own.
            self._leave()
            self._troubles["topics"], news = [str(error)], False
            self._stop.wait(RETRY_S)
        return news or before != self._troubles["topics"]

    def _take(self, cursor: TopicCursor, timeout_s: float) -> int:
        records = cursor.poll(timeout_s)
        for topic, record in records:
            try:
                self._tally.take(topic, record)
            except (KeyError, TypeError, ValueError) as error:
                # A record of another version of the contract: the page shows the rest, and says so.
                sentence = f"{topic}/{record.partition} offset {record.offset} was not understood: {error!r:.80}"
                self._troubles["records"] = [sentence]
        return len(records)

    def _open(self) -> TopicCursor:
        places = {}
        for topic in TOPICS:
            ends = end_offsets(self._bootstrap, topic)
            places[topic] = {at: max(0, end - MOST_RECORDS // len(ends)) for at, end in ends.items()}
        self._tally = StreamTally(self._model)
        return TopicCursor(self._bootstrap, places)

    def _leave(self) -> None:
        if self._cursor is not None:
            self._cursor.close()
            self._cursor = None

    def _look_around(self) -> None:
        self._around, troubles = self._registry.document()
        try:
            figures = self._figures()
            self._around["job"] = dict(figures) if figures is not None else None
        except WeirError as error:
            self._around["job"] = None
            troubles = [*troubles, str(error)]
        self._troubles["around"] = troubles

    def _compose(self) -> dict[str, Any]:
        return {
            "made_ms": time.time_ns() // 1_000_000,
            "model": self._model,
            "reading": {
                "caught_up": self._behind == 0,
                "behind": max(0, self._behind),
                "troubles": [each for part in self._troubles.values() for each in part],
            },
            **self._tally.document(),
            **self._around,
        }
