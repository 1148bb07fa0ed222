"""What travels between the stages of the job: validated transactions and truths, and what a scorer said.

These are plain dictionaries, typed, because a batch of them is parsed once from JSON and written once as JSON; a class per
event would cost more than the work done on it. Times are int64 epoch milliseconds, UTC.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

__all__ = ["Position", "Prediction", "Transaction", "Truth"]


class Position(TypedDict):
    """Where a record stood in its Kafka topic, and when the broker appended it."""

    partition: int
    offset: int
    ingestion_time_ms: int


class Transaction(Position):
    """A validated transaction. The customer stage adds ``late``; the window stages add to ``features``.

    ``fields`` holds the other numbers and strings of the message that the job's feature set names (``Time``, ``V1``, ...).
    ``sets`` names the feature sets by rows that every stage so far knew, and whether their windows were not full yet; it
    is missing where there are none.
    """

    kind: Literal["transaction"]
    transaction_id: str
    event_time_ms: int
    customer_id: str
    terminal_id: str | None
    amount: float
    fields: dict[str, float | str]
    features: dict[str, float]
    late: bool
    warming_up: bool
    sets: NotRequired[dict[str, bool]]


class Truth(Position):
    """A validated truth: what a transaction turned out to be, known from ``truth_time_ms`` on."""

    kind: Literal["truth"]
    transaction_id: str
    label: Literal[0, 1]
    revision: int
    truth_time_ms: int
    event_time_ms: int
    customer_id: str
    terminal_id: str | None
    intervened: bool


class Prediction(TypedDict):
    """What one version in one role said of a transaction; the truth join's other input.

    ``excluded`` marks a transaction the version was trained on: it is scored but never counts in that version's ROC AUC.
    ``partition`` and ``offset`` are those of its transaction. A missing champion gives no Prediction at all (its
    inference has a null score).
    """

    kind: Literal["prediction"]
    transaction_id: str
    event_time_ms: int
    model: str
    version: str
    role: str
    score: float
    excluded: bool
    partition: NotRequired[int]
    offset: NotRequired[int]
    ingestion_time_ms: NotRequired[int]
