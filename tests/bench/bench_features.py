"""What the windows of a transaction cost, by how many transactions its customer and its terminal have.

``make bench ONLY=features``. Domain code of both stages over dictionaries of bytes, in batches of five transactions; each
entity has N transactions in its 30 days before the clock starts, 0.8 % of them told as frauds. Then the same in Flink's
stages, from raw JSON to payload, state in the heap. Processor time of this process and of the stages' threads, so other
programs on the machine disturb it little.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from tests.bench.entity_stream import entity_stream
from tests.bench.publish import publish
from tests.bench.window_stages import WindowStages
from udfs.domain.customer_windows import update_customers
from udfs.domain.terminal_windows import update_terminals

SIZES = (10, 60, 300, 1_000, 1_000_000)
ON_FLINK = (10, 1_000, 1_000_000)
MEASURED, MEASURED_ON_FLINK, BATCH, FILL, WARM_UP = 6_000, 30_000, 5, 2_000, 10_000
START_MS = 1_522_540_800_000


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
        update_terminals([*truths, *known], self.terminals, lateness_ms=0, parts=self.parts[1])
        self.terminal_s += time.process_time() - between
        self.customer_s += between - begun


def entities_of(size: int) -> int:
    """Return how many entities stand for those of a size."""
    return 1 if size > 1_000 else max(5, min(500, 20_000 // size))


def batches(rounds: Iterator[list[Any]], transactions: int, batch: int) -> Iterator[list[Any]]:
    """Yield so many transactions, and the truths between them, in batches."""
    taken, waiting = 0, []
    for event in chain.from_iterable(rounds):
        waiting.append(event)
        taken += event["kind"] == "transaction"
        if len(waiting) >= batch or taken == transactions:
            yield waiting
            waiting = []
        if taken == transactions:
            return


def fill_of(size: int) -> int:
    """Return after how many transactions the windows are full; the delay of terminals is a quarter of the longest."""
    return (size + size // 4 + 2) * entities_of(size)


def measure(size: int) -> dict[str, float]:
    """Fill entities with ``size`` transactions each, then time what follows."""
    stages, rounds = Stages(), entity_stream(size, entities_of(size))
    for batch in batches(rounds, fill_of(size), FILL):
        stages.take(batch)
    stages.customer_s = stages.terminal_s = 0.0
    for batch in batches(rounds, MEASURED, BATCH):
        stages.take(batch)
    bytes_held = sum(
        len(value) for state in (stages.customers, stages.terminals, *stages.parts) for value in state.values()
    )
    name = str(size)
    return {
        f"us_per_event_{name}": (stages.customer_s + stages.terminal_s) / MEASURED * 1e6,
        f"customer_us_per_event_{name}": stages.customer_s / MEASURED * 1e6,
        f"terminal_us_per_event_{name}": stages.terminal_s / MEASURED * 1e6,
        f"bytes_per_entity_{name}": bytes_held / (2 * entities_of(size)),
    }


def measure_on_flink(size: int) -> dict[str, float]:
    """Do the same in Flink's stages."""
    with tempfile.TemporaryDirectory(prefix="weir-features-") as folder:
        stages, rounds = WindowStages(Path(folder)), entity_stream(size, entities_of(size), START_MS)
        try:
            stages.take(list(batches(rounds, WARM_UP, BATCH)))  # what the JVM compiles later is not the entity's
            stages.take(list(batches(rounds, max(fill_of(size) - WARM_UP, 1), FILL)))
            before = stages.cpu_s()
            stages.take(list(batches(rounds, MEASURED_ON_FLINK, BATCH)))
            used = {stage: seconds - before[stage] for stage, seconds in stages.cpu_s().items()}
        finally:
            stages.close()
    figures = {
        f"flink_{stage}_us_per_event_{size}": seconds / MEASURED_ON_FLINK * 1e6 for stage, seconds in used.items()
    }
    return figures | {f"flink_us_per_event_{size}": sum(figures.values())}


def main() -> None:
    """Measure and publish ``build/bench/features.json``."""
    figures: dict[str, float] = {}
    for size in SIZES:
        figures |= measure(size)
    for size in ON_FLINK:
        figures |= measure_on_flink(size)
    # the aim is 3 at most
    ratios = {
        f"{kind}ratio_1000000_to_10": figures[f"{kind}us_per_event_1000000"] / figures[f"{kind}us_per_event_10"]
        for kind in ("", "flink_")
    }
    publish("features", figures | ratios)


if __name__ == "__main__":
    main()
