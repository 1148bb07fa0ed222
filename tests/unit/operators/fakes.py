"""Flink's state, timers and contexts as plain Python, so that a stage runs without a JVM."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from pyflink.common import Row

__all__ = ["FakeFlink", "FakeListState", "FakeMapState"]

NO_WATERMARK = -(2**63)


class FakeMapState:
    """A MapState of one key at a time, with the calls that ``StateEntries`` makes."""

    def __init__(self, flink: FakeFlink) -> None:
        self._flink = flink
        self.by_key: dict[str, dict[str, bytes]] = defaultdict(dict)

    @property
    def _entries(self) -> dict[str, bytes]:
        return self.by_key[self._flink.key]

    def get(self, key: str) -> bytes | None:
        return self._entries.get(key)

    def put(self, key: str, value: bytes) -> None:
        assert isinstance(value, bytes)
        self._entries[key] = value

    def put_all(self, entries: dict[str, bytes]) -> None:
        for key, value in entries.items():
            self.put(key, value)

    def remove(self, key: str) -> None:
        self._entries.pop(key, None)

    def contains(self, key: str) -> bool:
        return key in self._entries

    def keys(self) -> list[str]:
        return list(self._entries)

    def clear(self) -> None:
        self._entries.clear()


class FakeListState:
    """A ListState of one key at a time."""

    def __init__(self, flink: FakeFlink) -> None:
        self._flink = flink
        self.by_key: dict[str, list[str]] = defaultdict(list)

    def add(self, value: str) -> None:
        self.by_key[self._flink.key].append(value)

    def get(self) -> list[str]:
        return list(self.by_key[self._flink.key])

    def clear(self) -> None:
        self.by_key[self._flink.key].clear()


class _Counter:
    def __init__(self, counts: Counter, name: str) -> None:
        self._counts, self._name = counts, name

    def inc(self, n: int = 1) -> None:
        self._counts[self._name] += n


class FakeFlink:
    """Runs one keyed stage: it is its runtime context, its timer service and the context of its calls.

    Attributes
    ----------
    out, aside
        What the stage emitted: rows, and by the name of a side output's tag.
    state, lists
        Map and list states, by the name of the descriptor.
    event_timers, processing_timers
        (time, key) of the timers that are set.
    """

    def __init__(self, stage: Any) -> None:
        self.key = ""
        self.watermark_ms, self.time_ms = NO_WATERMARK, 0
        self.state: dict[str, FakeMapState] = {}
        self.lists: dict[str, FakeListState] = {}
        self.event_timers: set[tuple[int, str]] = set()
        self.processing_timers: set[tuple[int, str]] = set()
        self.out: list[Row] = []
        self.aside: dict[str, list[Row]] = defaultdict(list)
        self.counters: Counter = Counter()
        self.restart(stage)

    def restart(self, stage: Any) -> None:
        """Go on with a new instance of the stage, as after a failure: state and timers are all it finds."""
        self._stage = stage
        stage.open(self)

    # what the stage calls

    def get_map_state(self, descriptor: Any) -> FakeMapState:
        return self.state.setdefault(descriptor.get_name(), FakeMapState(self))

    def get_list_state(self, descriptor: Any) -> FakeListState:
        return self.lists.setdefault(descriptor.get_name(), FakeListState(self))

    def get_metrics_group(self) -> FakeFlink:
        return self

    def add_group(self, name: str, extra: str | None = None) -> FakeFlink:
        return self

    def counter(self, name: str) -> _Counter:
        return _Counter(self.counters, name)

    def timer_service(self) -> FakeFlink:
        return self

    def get_current_key(self) -> str:
        return self.key

    def current_watermark(self) -> int:
        return self.watermark_ms

    def register_event_time_timer(self, time_ms: int) -> None:
        self.event_timers.add((time_ms, self.key))

    def register_processing_time_timer(self, time_ms: int) -> None:
        self.processing_timers.add((time_ms, self.key))

    # what a test calls

    def send(self, key: str, payload: str) -> None:
        """Give the stage one record of a key."""
        self.key = key
        self._take(self._stage.process_element(payload, self))

    def advance_watermark(self, watermark_ms: int) -> None:
        """Move event time and fire what is due, also the timers that firing sets, as Flink does."""
        self.watermark_ms = watermark_ms
        self._fire(self.event_timers, watermark_ms)

    def advance_time(self, time_ms: int) -> None:
        """Move processing time and fire what is due."""
        self.time_ms = time_ms
        self._fire(self.processing_timers, time_ms)

    def _fire(self, timers: set[tuple[int, str]], now_ms: int) -> None:
        for _ in range(100_000):
            due = min(timers, default=None)
            if due is None or due[0] > now_ms:
                return
            timers.remove(due)
            self.key = due[1]
            self._take(self._stage.on_timer(due[0], self))
        raise AssertionError("timers set timers without end")

    def _take(self, emitted: Any) -> None:
        assert emitted is not None, "None from a timer function kills a PyFlink job"
        for item in emitted:
            if isinstance(item, tuple) and not isinstance(item, Row):
                self.aside[item[0].tag_id].append(item[1])
            else:
                self.out.append(item)
