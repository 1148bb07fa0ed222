"""Records as the job writes them, of a made-up week: version 1 is champion, 2 challenges it and takes over."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from typing import Any

import orjson

from connectors.kafka.record import Record
from jobs.watching.stream_tally import StreamTally
from udfs.domain.auc_interval import auc_interval
from udfs.domain.window import LIFE_END_MS

DAY_MS = 86_400_000
FIRST_DAY_MS = 1_525_132_800_000
"""2018-05-01."""
CAME_MS = 1_795_000_000_000
DAYS, PER_DAY, SWAP_DAY = 14, 500, 7
MODEL = "fraud"


def record(value: dict[str, Any], partition: int = 0, offset: int = 0) -> Record:
    return Record(partition, offset, 0, None, orjson.dumps(value))


def inference(number: int, role: str, version: str, seq: int, score: float | None, **changed: Any) -> dict[str, Any]:
    day, place = divmod(number, PER_DAY)
    came_ms = CAME_MS + number * 12
    rng = random.Random(number)
    drifted = 1.0 + 0.08 * max(0, day - SWAP_DAY)
    return {
        "transaction_id": f"42-{number:06d}",
        "event_time_ms": FIRST_DAY_MS + day * DAY_MS + place * DAY_MS // PER_DAY,
        "model": MODEL if version else None,
        "version": version or None,
        "role": role,
        "digest": version * 64 or None,
        "score": score,
        "reason": None,
        "features": {"TX_AMOUNT": rng.expovariate(0.02) * drifted, "TERMINAL_ID_RISK_7DAY_WINDOW": rng.random() ** 6,
                     "CUSTOMER_ID_NB_TX_7DAY_WINDOW": float(rng.randrange(20))},
        "late": number % 97 == 0,
        "warming_up": False,
        "excluded": False,
        "deployment_seq": seq,
        "ingestion_time_ms": came_ms,
        "prediction_time_ms": came_ms + int(rng.expovariate(1 / 45)) + (900 if number % 130 == 0 else 8),
        **changed,
    }  # fmt: skip


def quality(
    version: str, role: str, day: int | None, auc: float | None, frauds: int, revision: int = 1
) -> dict[str, Any]:
    start, end = (0, LIFE_END_MS) if day is None else (FIRST_DAY_MS + day * DAY_MS, FIRST_DAY_MS + (day + 1) * DAY_MS)
    days = DAYS if day is None else 1
    low, high = auc_interval(auc, frauds, 480 * days) if auc is not None else (None, None)
    return {
        "model": MODEL,
        "version": version,
        "role": role,
        "series": "event_time",
        "window": "life" if day is None else "tumbling",
        "window_start_ms": start,
        "window_end_ms": end,
        "roc_auc": auc,
        "reason": None if auc is not None else "no_positives",
        "error_bound": 0.0,
        "ci_low": low,
        "ci_high": high,
        "positives": frauds,
        "negatives": 480 * days,
        "presumed": 0,
        "labelled": frauds + 480 * days,
        "scored": 500 * days,
        "coverage": 0.97,
        "excluded": 0,
        "intervened": 0,
        "set_aside": 1,
        "label_delay_p50_ms": 6 * DAY_MS + 23 * 3_600_000,
        "label_delay_p90_ms": 7 * DAY_MS,
        "revision": revision,
        "final": day is not None and day < 5,
    }


def messages() -> Iterator[tuple[str, dict[str, Any]]]:
    rng = random.Random(7)
    for number in range(DAYS * PER_DAY):
        swapped = number >= SWAP_DAY * PER_DAY
        scores = {"1": min(1.0, rng.betavariate(9, 3)), "2": min(1.0, rng.betavariate(6, 4))}
        champion = "2" if swapped else "1"
        said = inference(number, "champion", champion, 3 if swapped else 1, scores[champion])
        yield "inferences", said
        if not swapped:
            yield "inferences", inference(number, "shadow", "2", 2, scores["2"])
        if scores[champion] > 0.95:
            yield "alerts", alert(said)
        if number % 701 == 0:
            yield "dead_letters", letter(number, "not_json" if number % 2 else "duplicate")
    for version, role, days, level in (
        ("1", "champion", range(SWAP_DAY + 1), 0.82),
        ("2", "shadow", range(SWAP_DAY + 1), 0.9),
        ("2", "champion", range(SWAP_DAY, DAYS), 0.9),
    ):
        for day in days:
            auc = None if day == 3 else min(0.99, level + 0.05 * rng.random())
            yield "model_quality", quality(version, role, day, auc, 0 if auc is None else rng.randrange(8, 20))
        life = quality(version, role, None, level + 0.02, 90)
        yield "model_quality", life
        yield "model_quality", {**life, "series": "truth_time"}
    for version, event, reason in (("1", "activated", ""), ("2", "activated", ""), ("3", "rejected", "probe_mismatch")):
        yield "model_events", {"model": MODEL, "version": version, "role": "champion", "event": event, "reason": reason,
                               "digest": version * 64, "time_ms": CAME_MS}  # fmt: skip


def alert(said: dict[str, Any]) -> dict[str, Any]:
    names = sorted(said["features"], key=lambda name: -said["features"][name])
    return {
        "alert_id": hashlib.sha256(said["transaction_id"].encode()).hexdigest(),
        **{name: said[name] for name in ("transaction_id", "event_time_ms", "score", "model", "version", "digest")},
        "rule": "score_at_or_above_threshold",
        "threshold": 0.95,
        "reasons": [
            {"feature": name, "value": said["features"][name], "contribution": 0.0321 / (1 + place)}
            for place, name in enumerate(names)
        ],
        "reason_method": "tree_path",
    }


def letter(number: int, reason: str) -> dict[str, Any]:
    return {
        "topic": "transactions", "partition": 1, "offset": number, "reason": reason, "detail": "", "payload": "{",
        "payload_sha256": f"{number:064x}", "time_ms": CAME_MS + number * 12,
    }  # fmt: skip


def tally() -> StreamTally:
    made = StreamTally(MODEL)
    for topic, message in messages():
        made.take(topic, record(message))
    return made


def around() -> dict[str, Any]:
    """Return what the registry and the job add to the document."""
    made = {"model": MODEL, "digest": "d" * 64, "effective_from_ms": 0, "retired": False, "created_ms": CAME_MS}
    champion = {**made, "deployment_seq": 3, "role": "champion", "version": "2", "threshold": 0.95, "who": "ana",
                "why": "better on July"}  # fmt: skip
    shadow = {**made, "deployment_seq": 2, "role": "shadow", "version": "1", "threshold": None, "who": "ana", "why": ""}
    return {
        "deployments": [champion, shadow],
        "history": [champion, shadow],
        "versions": [
            {"version": "2", "algorithm": "logistic-regression", "roles": ["champion"], "threshold": 0.95},
            {"version": "1", "algorithm": "half-space-trees", "roles": ["shadow"], "threshold": None},
        ],
        "notifications": {"queued": 2, "sending": 1, "sent": 90, "dead": 0},
        "job": {"consumer_lag": {"transactions": 12, "truths": 0}, "events_per_s": 812.5, "watermark_lag_ms": 1_200,
                "scale_out": False},
    }  # fmt: skip


def document() -> dict[str, Any]:
    """Return the whole document of the page."""
    reading = {"caught_up": True, "behind": 0, "troubles": []}
    head = {"made_ms": CAME_MS + 90_000, "model": MODEL, "reading": reading, "may_deploy": False}
    return {**head, **tally().document(), **around()}
