"""What the windows of a transaction cost, by how many transactions its customer and its terminal have.

``make bench ONLY=features``. Domain code of both stages over dictionaries of bytes, in batches of five transactions; each
entity has N transactions in its 30 days before the clock starts, 0.8 % of them told as frauds. Processor time of this
process, so other programs on the machine disturb it little. Flink's own share of a stage comes on top.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from tests.bench.publish import publish
from udfs.domain.customer_windows import update_customers
from udfs.domain.terminal_windows import update_terminals

DAY_MS = 86_400_000
SIZES = (10, 60, 300, 1_000, 1_000_000)
MEASURED, BATCH, FILL = 6_000, 5, 2_000


def transaction(number: int, time_ms: int, entity: int) -> dict[str, Any]:
    """Make a transaction of a customer and a terminal of the same number."""
    return {
        "kind": "transaction", "partition": 0, "offset": number, "ingestion_time_ms": time_ms,
        "transaction_id": str(number), "event_time_ms": time_ms, "customer_id": f"c{entity}",
        "terminal_id": f"k{entity}", "amount": 57.16 + number % 7, "fields": {}, "features": {}, "late": False,
        "warming_up": False,
    }  # fmt: skip


def fraud(of: dict[str, Any]) -> dict[str, Any]:
    """Make the truth that a transaction was a fraud, known after six days and 23 hours."""
    told = {"kind": "truth", "label": 1, "revision": 0, "truth_time_ms": of["event_time_ms"] + 7 * DAY_MS - 3_600_000}
    return of | told | {"intervened": False}


class Stages:
    """Customer and terminal stage over dictionaries, and the time they took."""

    def __init__(self) -> None:
        self.customers: dict[str, bytes] = {}
        self.terminals: dict[str, bytes] = {}
        self.parts: tuple[dict[str, bytes], dict[str, bytes]] = ({}, {})
        self.customer_s = self.terminal_s = 0.0

    def take(self, events: list[Any]) -> None:
        """Send a batch through both."""
        begun = time.process_time()
        known = update_customers(
            [e for e in events if e["kind"] == "transaction"], self.customers, lateness_ms=0, parts=self.parts[0]
        ).events
        between = time.process_time()
        truths = [e for e in events if e["kind"] == "truth"]
        update_terminals([*truths, *known], self.terminals, parts=self.parts[1])
        self.terminal_s += time.process_time() - between
        self.customer_s += between - begun


def stream(size: int, entities: int) -> Iterator[list[Any]]:
    """Yield one round of all entities at a time, 30 days of a window by ``size`` rounds, for ever."""
    number, told = 0, []
    step_ms = 30 * DAY_MS // size
    for turn in range(10**9):
        batch = []
        for entity in range(entities):
            number += 1
            batch.append(transaction(number, turn * step_ms + entity, entity))
            if number % 125 == 0:
                told.append(fraud(batch[-1]))
        now_ms = turn * step_ms
        yield [*(each for each in told if each["truth_time_ms"] <= now_ms), *batch]
        told = [each for each in told if each["truth_time_ms"] > now_ms]


def measure(size: int) -> dict[str, float]:
    """Fill entities with ``size`` transactions each, then time what follows."""
    entities = 1 if size > 1_000 else max(5, min(500, 20_000 // size))
    stages, rounds = Stages(), stream(size, entities)
    waiting: list[Any] = []
    for _ in range(size + size // 4 + 2):  # the delay of terminals is a quarter of the window
        waiting += next(rounds)
        if len(waiting) >= FILL:
            stages.take(waiting)
            waiting = []
    stages.take(waiting)
    stages.customer_s = stages.terminal_s = 0.0
    measured, batch = 0, []
    while measured < MEASURED:
        for event in next(rounds):
            batch.append(event)
            if len(batch) >= BATCH:
                stages.take(batch)
                measured += len(batch)
                batch = []
    bytes_held = sum(
        len(value) for state in (stages.customers, stages.terminals, *stages.parts) for value in state.values()
    )
    name = str(size)
    return {
        f"us_per_event_{name}": (stages.customer_s + stages.terminal_s) / measured * 1e6,
        f"customer_us_per_event_{name}": stages.customer_s / measured * 1e6,
        f"terminal_us_per_event_{name}": stages.terminal_s / measured * 1e6,
        f"bytes_per_entity_{name}": bytes_held / (2 * entities),
    }


def main() -> None:
    """Measure and publish ``build/bench/features.json``."""
    figures: dict[str, float] = {}
    for size in SIZES:
        figures |= measure(size)
    # the aim is 3 at most
    ratio = figures["us_per_event_1000000"] / figures["us_per_event_10"]
    publish("features", figures | {"ratio_1000000_to_10": ratio})


if __name__ == "__main__":
    main()
