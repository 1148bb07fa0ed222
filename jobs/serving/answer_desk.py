"""Where transactions sent through the stream wait for their answer: the inference that nobody has committed yet.

Followers of ``inferences`` (uncommitted) and ``dead_letters`` hand in what comes; a request waits at the desk under its
transaction_id and takes what belongs to the very record it sent, told by partition and offset.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from connectors.kafka.record import Record

__all__ = ["AnswerDesk", "Waiter"]

NOWHERE = (-1, -1)
KEPT_LETTERS = 10_000
"""Dead letters that may come before the sender knows where its record stands."""


class Waiter:
    """One request that waits. Used in its event loop only.

    Attributes
    ----------
    inferences
        Every inference of its transaction_id that came while it waited.
    at
        Partition and offset of its record, once the broker has told them.
    """

    def __init__(self, transaction_id: str) -> None:
        self.transaction_id = transaction_id
        self.inferences: list[dict[str, Any]] = []
        self.at = NOWHERE
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()

    def tell(self, inference: dict[str, Any] | None = None) -> None:
        """Hand in an inference, or only wake it; from any thread."""
        self._loop.call_soon_threadsafe(self._take, inference)

    async def news(self) -> None:
        """Return when something was handed in since the last call."""
        await self._news.wait()
        self._news.clear()

    def _take(self, inference: dict[str, Any] | None) -> None:
        if inference is not None:
            self.inferences.append(inference)
        self._news.set()


class AnswerDesk:
    """Brings answers to those who wait for them."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Waiter]] = defaultdict(list)
        self._placed: dict[tuple[int, int], Waiter] = {}
        self._letters: OrderedDict[tuple[int, int], dict[str, Any]] = OrderedDict()
        self._lock = threading.Lock()
        self._count = 0

    @property
    def waiting(self) -> int:
        """How many wait."""
        return self._count

    @contextmanager
    def waiter(self, transaction_id: str) -> Iterator[Waiter]:
        """Wait at the desk; to be entered before the transaction is sent, or its answer may come too early."""
        waiter = Waiter(transaction_id)
        with self._lock:
            self._waiting[transaction_id].append(waiter)
            self._count += 1
        try:
            yield waiter
        finally:
            with self._lock:
                self._count -= 1
                self._placed.pop(waiter.at, None)
                self._waiting[transaction_id].remove(waiter)
                if not self._waiting[transaction_id]:
                    del self._waiting[transaction_id]

    def place(self, waiter: Waiter, at: tuple[int, int]) -> None:
        """Note that a waiter's record stands at a partition and offset of ``transactions``."""
        with self._lock:
            waiter.at = at
            self._placed[at] = waiter

    def letter(self, at: tuple[int, int]) -> dict[str, Any] | None:
        """Return the dead letter of a record of ``transactions``, if one came lately."""
        with self._lock:
            return self._letters.get(at)

    def take_inference(self, record: Record) -> None:
        """Take a record of ``inferences``; all but those somebody waits for are left unread."""
        key = (record.key or b"").decode(errors="replace")
        if key not in self._waiting or record.value is None:
            return
        inference = orjson.loads(record.value)
        with self._lock:
            waiters = list(self._waiting.get(key, ()))
        for waiter in waiters:
            waiter.tell(inference)

    def take_dead_letter(self, record: Record) -> None:
        """Take a record of ``dead_letters``."""
        letter = orjson.loads(record.value or b"{}")
        if letter.get("topic") != "transactions":
            return
        at = letter["partition"], letter["offset"]
        with self._lock:
            self._letters[at] = letter
            if len(self._letters) > KEPT_LETTERS:
                self._letters.popitem(last=False)
            waiter = self._placed.get(at)
        if waiter is not None:
            waiter.tell()
