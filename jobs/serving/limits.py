"""How much a client may ask of the API."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that keep one client from taking the API away from the others.

    Parameters
    ----------
    max_body_bytes
        The largest body of a request.
    max_batch
        The most rows of features, or truths, in one request.
    body_timeout_s
        How long a client may take to send a body.
    answer_timeout_ms
        How long a transaction through the stream is waited for, unless the request says less or more.
    max_answer_timeout_ms
        The most a request may ask for.
    max_waiting
        Transactions that may wait for their score at once.
    """

    max_body_bytes: int = 1_048_576
    max_batch: int = 1_000
    body_timeout_s: float = 10.0
    answer_timeout_ms: int = 5_000
    max_answer_timeout_ms: int = 60_000
    max_waiting: int = 2_000
