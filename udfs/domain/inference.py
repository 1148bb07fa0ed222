"""What the score stage writes about a transaction: the inference, the alert it may raise, the join's prediction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from udfs.domain.event import Prediction, Transaction
from udfs.domain.metadata import Activation

__all__ = ["ALERT_RULE", "alert_of", "inference_of", "prediction_of"]

ALERT_RULE = "score_at_or_above_threshold"
Reasons = Callable[[Mapping[str, Any]], tuple[str, list[dict[str, Any]]]]
"""Says of an inference by which method, and which features, raised its score."""


def inference_of(
    transaction: Transaction,
    *,
    role: str,
    activation: Activation | None,
    digest: str | None,
    score: float | None,
    reason: str | None,
    feature_set: str,
    features: Mapping[str, float],
    excluded: bool,
    deployment_seq: int,
    watermark_ms: int | None,
    prediction_time_ms: int,
) -> dict[str, Any]:
    """Build a record of the ``inferences`` topic.

    Parameters
    ----------
    digest
        sha256 of the artifact held by the object that scored, never looked up elsewhere; None when nothing scored.
    score
        None with a ``reason``: ``no_champion``, ``missing_feature`` or ``feature_set_not_taken_up``.
    excluded
        The version was trained on this transaction: it does not count in its ROC AUC.
    watermark_ms
        The operator's watermark when it scored; None before the first one.
    """
    return {
        "transaction_id": transaction["transaction_id"],
        "event_time_ms": transaction["event_time_ms"],
        "model": activation.model if activation else None,
        "version": activation.version if activation else None,
        "role": role,
        "digest": digest,
        "score": score,
        "reason": reason,
        "feature_set": feature_set,
        "features": features,
        "warming_up": transaction["warming_up"],
        "late": transaction["late"],
        "excluded": excluded,
        "deployment_seq": deployment_seq,
        "source_partition": transaction["partition"],
        "source_offset": transaction["offset"],
        "watermark_ms": watermark_ms,
        "ingestion_time_ms": transaction["ingestion_time_ms"],
        "prediction_time_ms": prediction_time_ms,
    }


def alert_of(
    inference: Mapping[str, Any], threshold: float | None, reasons_of: Reasons = lambda inference: ("none", [])
) -> dict[str, Any] | None:
    """Build a record of the ``alerts`` topic when the champion's score reaches its threshold, else None.

    ``alert_id`` depends on the transaction and the rule alone: a replay by another version gives the same alert, and the
    one already sent stands. ``reasons_of`` is asked for alerts only: it may be slow.

    Examples
    --------
    >>> said = dict(transaction_id="t1", event_time_ms=1, role="champion", score=0.9, model="m", version="1", digest="d")
    >>> alert_of(said, 0.95) is None
    True
    >>> alert_of(said, 0.9)["alert_id"][:8]
    'd4dd6380'
    """
    if threshold is None or inference["score"] is None or inference["score"] < threshold:
        return None
    identity = f"{inference['transaction_id']}\n{ALERT_RULE}".encode()
    method, reasons = reasons_of(inference)
    return {
        "alert_id": hashlib.sha256(identity).hexdigest(),
        "transaction_id": inference["transaction_id"],
        "event_time_ms": inference["event_time_ms"],
        "rule": ALERT_RULE,
        "score": inference["score"],
        "threshold": threshold,
        "model": inference["model"],
        "version": inference["version"],
        "digest": inference["digest"],
        "reasons": reasons,
        "reason_method": method,
    }


def prediction_of(inference: Mapping[str, Any]) -> Prediction | None:
    """Reduce an inference to what the truth join needs; None for a null score."""
    if inference["score"] is None:
        return None
    return Prediction(
        kind="prediction",
        transaction_id=inference["transaction_id"],
        event_time_ms=inference["event_time_ms"],
        model=inference["model"],
        version=inference["version"],
        role=inference["role"],
        score=inference["score"],
        excluded=inference["excluded"],
        partition=inference["source_partition"],
        offset=inference["source_offset"],
    )
