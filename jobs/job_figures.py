"""How the running job keeps up, from Flink's metrics: latency, backlog, lags, what is late or dead, and per version."""

from __future__ import annotations

import time
from typing import Any

from connectors.local.flink_rest import FlinkRest
from udfs.operators import ids

__all__ = ["falls_behind", "job_figures"]

HISTOGRAMS = ("prediction_latency_ms", "platform_backlog_ms")
QUANTILES = {"p50": "median", "p99": "p99"}
"""What they are called here and in Flink."""
PER_VERSION = ("inferences", "late", "null_scores")
SOURCE_METRICS = r"Source__[^.]+\.(pendingRecords|numRecordsInPerSecond)$"
BEHIND_S = 10.0
BACKLOG_MS = 1_000.0


def job_figures(flink: FlinkRest, job_id: str) -> dict[str, Any]:
    """Return the job's figures as they are now; None where a metric is not there yet.

    Returns
    -------
    dict
        ``prediction_latency_ms`` (prediction - event) and ``platform_backlog_ms`` (prediction - ingestion) with p50 and p99
        of the slowest subtask's newest 1,024 batches; ``watermark_lag_ms`` behind now; ``consumer_lag`` in records by
        topic; ``events_per_s`` read from ``transactions``; ``dead_letters`` by reason and ``versions`` with their counts,
        both since the tasks started; ``bytes_per_entity`` of state of the customers and terminals written last, mean and
        p99 of the largest subtask; ``busy`` per stage from 0 to 1; ``scale_out``, whether the README's rule
        says so now.
    """
    stages = {vertex["name"]: vertex["id"] for vertex in flink.job(job_id)["vertices"]}
    score = flink.vertex_metrics(job_id, _vertex(stages, ids.SCORE), rf"{ids.SCORE}\.")
    customer = flink.vertex_metrics(job_id, _vertex(stages, ids.CUSTOMER), rf"{ids.CUSTOMER}\.")
    figures: dict[str, Any] = {
        name: {ours: _of(score, f"{ids.SCORE}.{name}_{flinks}", "max") for ours, flinks in QUANTILES.items()}
        for name in HISTOGRAMS
    }
    # Not the score stage's: metadata, its other input, has no event time.
    watermark_ms = _of(customer, f"{ids.CUSTOMER}.currentInputWatermark", "min")
    known = watermark_ms is not None and watermark_ms > 0
    figures["watermark_lag_ms"] = round(time.time() * 1000 - watermark_ms) if known and watermark_ms else None
    lag, rate = _sources(flink, job_id, stages)
    figures |= {"consumer_lag": lag, "events_per_s": rate}
    figures["dead_letters"] = {
        name.split(".")[-2]: round(value["sum"])
        for name, value in customer.items()
        if name.startswith(f"{ids.CUSTOMER}.reason.")
    }
    terminal = flink.vertex_metrics(job_id, _vertex(stages, ids.TERMINAL), rf"{ids.TERMINAL}\.bytes_per_entity")
    figures["bytes_per_entity"] = {
        entity: {ours: _of(found, f"{uid}.bytes_per_entity_{ours}", "max") for ours in ("mean", "p99")}
        for entity, uid, found in (("customer", ids.CUSTOMER, customer), ("terminal", ids.TERMINAL, terminal))
    }
    figures["versions"] = _versions(score)
    figures["busy"] = _busy(flink, job_id, stages)
    figures["scale_out"] = falls_behind(figures["platform_backlog_ms"]["p99"], lag.get("transactions", 0), rate)
    return figures


def falls_behind(backlog_ms: float | None, waiting: int, events_per_s: float | None) -> bool:
    """Tell whether the job does not keep up now.

    Parameters
    ----------
    backlog_ms
        p99 of prediction - ingestion of the newest 1,024 batches; on a quiet stream these are as old as the last backlog.
    waiting
        Transactions in Kafka that were not read yet.
    events_per_s
        Transactions read a second.

    Examples
    --------
    Late ones that nothing waits behind any more, late ones with others behind them, and a long queue:

    >>> falls_behind(90_000.0, 0, 0.0), falls_behind(2_000.0, 150, 100.0), falls_behind(None, 5_000, 100.0)
    (False, True, True)
    """
    waiting_s = waiting / max(events_per_s or 0.0, 1.0)
    late = backlog_ms is not None and backlog_ms > BACKLOG_MS
    return waiting_s > BEHIND_S or (late and waiting_s > BACKLOG_MS / 1_000)


def _vertex(stages: dict[str, str], uid: str) -> str:
    return next(identity for name, identity in stages.items() if uid in name)


def _of(metrics: dict[str, dict[str, float]], name: str, aggregate: str) -> float | None:
    return metrics[name][aggregate] if name in metrics else None


def _sources(flink: FlinkRest, job_id: str, stages: dict[str, str]) -> tuple[dict[str, int], float | None]:
    lag: dict[str, int] = {}
    rate = None
    for topic in ("transactions", "truths"):
        vertex = next((identity for name, identity in stages.items() if f"_database.{topic} " in f"{name} "), None)
        metrics = flink.vertex_metrics(job_id, vertex, SOURCE_METRICS) if vertex else {}
        for name, value in metrics.items():
            if name.endswith(".pendingRecords"):
                lag[topic] = round(value["sum"])
            if topic == "transactions" and name.endswith(".numRecordsInPerSecond"):
                rate = round(value["sum"], 1)
    return lag, rate


def _versions(score: dict[str, dict[str, float]]) -> list[dict[str, Any]]:
    found: dict[tuple[str, str, str], dict[str, int]] = {}
    for name, value in score.items():
        # score.model.MODEL.version.VERSION.role.ROLE.COUNTER
        head, _, counter = name.rpartition(".")
        if counter not in PER_VERSION or not head.startswith(f"{ids.SCORE}.model."):
            continue
        model, _, rest = head.removeprefix(f"{ids.SCORE}.model.").partition(".version.")
        version, _, role = rest.partition(".role.")
        found.setdefault((model, version, role), dict.fromkeys(PER_VERSION, 0))[counter] = round(value["sum"])
    return [dict(zip(("model", "version", "role"), key, strict=True), **found[key]) for key in sorted(found)]


def _busy(flink: FlinkRest, job_id: str, stages: dict[str, str]) -> dict[str, float]:
    busy = {}
    for uid in (ids.CUSTOMER, ids.TERMINAL, ids.SCORE, ids.TRUTH_JOIN, ids.QUALITY):
        metrics = flink.vertex_metrics(job_id, _vertex(stages, uid), "busyTimeMsPerSecond$")
        value = _of(metrics, "busyTimeMsPerSecond", "max")
        if value is not None and value == value:  # NaN before the first measurement
            busy[uid] = round(value / 1000, 2)
    return busy
