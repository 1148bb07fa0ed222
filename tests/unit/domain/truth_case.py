"""Predictions, truths and calls for the tests of the truth join."""

from __future__ import annotations

from udfs.domain.event import Prediction, Truth
from udfs.domain.quality_change import Outcome
from udfs.domain.truth_join import TruthUpdate, expire_truths, join_truths

__all__ = ["DAY", "HOUR", "NOW", "START", "aside", "expire", "join", "prediction", "said", "truth"]

HOUR = 3_600_000
DAY = 24 * HOUR
NOW = 1_700_000_000_000
START = NOW - NOW % HOUR
NO_WATERMARK = -(2**63)


def prediction(transaction_id: str = "t1", **changed) -> Prediction:
    made = {
        "kind": "prediction", "transaction_id": transaction_id, "event_time_ms": NOW, "model": "cards", "version": "1",
        "role": "champion", "score": 0.75, "excluded": False, "partition": 1, "offset": 7,
    }  # fmt: skip
    return {**made, **changed}  # type: ignore[typeddict-item]


def truth(label: int = 1, transaction_id: str = "t1", **changed) -> Truth:
    made = {
        "kind": "truth", "transaction_id": transaction_id, "label": label, "revision": 1, "truth_time_ms": NOW + DAY,
        "event_time_ms": NOW, "customer_id": "c1", "terminal_id": None, "intervened": False, "partition": 0,
        "offset": 0, "ingestion_time_ms": NOW,
    }  # fmt: skip
    return {**made, **changed}  # type: ignore[typeddict-item]


def join(
    state: dict[str, bytes], *items: Prediction | Truth, watermark_ms: int = NO_WATERMARK, maturity_ms: int = 0
) -> TruthUpdate:
    return join_truths(
        items, state, window_ms=HOUR, retention_ms=30 * DAY, watermark_ms=watermark_ms, maturity_ms=maturity_ms
    )


def expire(state: dict[str, bytes], watermark_ms: int, limit: int = 256, maturity_ms: int = 0) -> TruthUpdate:
    return expire_truths(
        state, window_ms=HOUR, retention_ms=30 * DAY, watermark_ms=watermark_ms, maturity_ms=maturity_ms, limit=limit,
        nothing_on_its_way=True,
    )  # fmt: skip


def said(update: TruthUpdate, series: str = "event_time") -> list[tuple[str, int]]:
    """What counts and what is taken back; what was set aside is told by ``aside``."""
    return [
        (Outcome(change.outcome).name, change.weight)
        for change in update.changes
        if change.series == series and change.outcome != Outcome.SET_ASIDE
    ]


def aside(update: TruthUpdate) -> list[str]:
    return [item.reason for item in update.set_aside]
