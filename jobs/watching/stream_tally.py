"""Adds up the topics, record by record, into what the page shows of the stream; pure, it reads nothing itself."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import orjson

from connectors.kafka.record import Record
from jobs.report.quality_lines import QualityLine, quality_lines
from jobs.report.quality_summary import quality_summary
from jobs.watching.drift import Drift
from jobs.watching.score_counts import ScoreCounts
from jobs.watching.time_buckets import TimeBuckets
from udfs.domain.deployment import CHAMPION

__all__ = ["StreamTally"]

SHOWN_ALERTS, SHOWN_EVENTS = 20, 12
WINDOW_FIELDS = ("roc_auc", "ci_low", "ci_high", "reason", "positives", "negatives", "labelled", "scored", "final")


class StreamTally:
    """Everything the page shows of the topics of one model.

    Parameters
    ----------
    model
        Records of other models are left out.
    """

    def __init__(self, model: str) -> None:
        self._model = model
        self._buckets, self._scores, self._drift = TimeBuckets(), ScoreCounts(), Drift()
        self._totals: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._dead_places: set[tuple[Any, ...]] = set()
        self._joined: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._quality: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._alerts: deque[dict[str, Any]] = deque(maxlen=SHOWN_ALERTS)
        self._alert_ids: set[str] = set()
        self._events: deque[dict[str, Any]] = deque(maxlen=SHOWN_EVENTS)
        self._swaps: dict[int, tuple[str, int]] = {}
        self._event_times: tuple[int, int] | None = None

    def take(self, topic: str, record: Record) -> None:
        """Add one record of ``inferences``, ``model_quality``, ``alerts``, ``model_events`` or ``dead_letters``."""
        if record.value is None:
            return
        message = orjson.loads(record.value)
        if topic == "dead_letters":
            self._dead_letter(message)
        elif message.get("model") not in (None, self._model):
            return
        elif topic == "inferences":
            self._inference(message)
        elif topic == "model_quality":
            self._quality_row(message)
        elif topic == "alerts" and message["alert_id"] not in self._alert_ids:
            self._alert_ids.add(message["alert_id"])
            self._alerts.append(message)
        elif topic == "model_events":
            self._events.append(message)

    def document(self) -> dict[str, Any]:
        """Return what has been added up, as plain values."""
        rows = list(self._quality.values())
        summary = quality_summary(rows, self._joined.values())
        first, last = self._event_times or (None, None)
        totals = {name: self._totals[name] for name in ("scored", "late", "null_scores", "warming_up")}
        return {
            "totals": {
                **totals,
                "alerts": len(self._alert_ids),
                "dead_letters": sum(self._reasons.values()),
                "first_event_ms": first,
                "last_event_ms": last,
            },
            "quality": [_line(each) for each in quality_lines(rows)],
            "swaps": self.swaps(),
            "scores": self._scores.document(),
            "flow": self._buckets.document(),
            "dead_letters": [{"reason": name, "count": count} for name, count in self._reasons.most_common()],
            "truth": summary.to_json(),
            "drift": self._drift.document(),
            "alerts": list(reversed(self._alerts)),
            "events": list(reversed(self._events)),
        }

    def quality_rows(self) -> list[dict[str, Any]]:
        """Return the newest row of each window."""
        return list(self._quality.values())

    def swaps(self) -> list[dict[str, Any]]:
        """Return the changes of the champion with the event time of the first transaction the new one scored."""
        held = [self._swaps[seq] for seq in sorted(self._swaps)]
        pairs = pairwise(held)
        return [
            {"from": before, "to": after, "event_time_ms": time_ms}
            for (before, _), (after, time_ms) in pairs
            if before != after
        ]

    def _inference(self, said: dict[str, Any]) -> None:
        score, role, time_ms = said["score"], said["role"], said["event_time_ms"]
        if score is not None:
            self._scores.update(said["version"], role, score)
        if role != CHAMPION:
            return
        self._totals["scored"] += 1
        self._totals["late"] += bool(said["late"])
        self._totals["warming_up"] += bool(said["warming_up"])
        self._totals["null_scores"] += score is None
        came_ms = said["ingestion_time_ms"]
        self._buckets.scored(came_ms, late=bool(said["late"]), latency_ms=said["prediction_time_ms"] - came_ms)
        first, last = self._event_times or (time_ms, time_ms)
        self._event_times = min(first, time_ms), max(last, time_ms)
        self._drift.update(said)
        if said["version"] is not None:
            version, known_ms = self._swaps.get(said["deployment_seq"], (said["version"], time_ms))
            self._swaps[said["deployment_seq"]] = version, min(known_ms, time_ms)

    def _quality_row(self, row: dict[str, Any]) -> None:
        names = ("version", "role", "series", "window", "window_start_ms", "window_end_ms")
        key = tuple(row.get(name) for name in names)
        held = self._quality.get(key)
        if held is None or row["revision"] > held["revision"]:
            self._quality[key] = row

    def _dead_letter(self, letter: dict[str, Any]) -> None:
        # Written at least once: the same letter may come again.
        place = (letter["topic"], letter["partition"], letter["offset"], letter["reason"], letter.get("payload_sha256"))
        if letter["topic"] == "transactions":
            if place not in self._dead_places:
                self._dead_places.add(place)
                self._reasons[letter["reason"]] += 1
                self._buckets.dead(letter["time_ms"])
        elif letter["topic"] in ("truths", "inferences"):
            self._joined[place] = {key: value for key, value in letter.items() if key != "payload"}


def _line(line: QualityLine) -> dict[str, Any]:
    return {
        "version": line.version,
        "role": line.role,
        "lifetime": _window(line.lifetime) if line.lifetime is not None else None,
        "windows": [_window(window) for window in line.windows],
    }


def _window(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "start_ms": row["window_start_ms"],
        "end_ms": row["window_end_ms"],
        **{name: row.get(name) for name in WINDOW_FIELDS},
    }
