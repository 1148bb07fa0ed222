"""What ``weir status`` says of the truth: how much of it has come, how long it takes, what was set aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from udfs.domain.quality_change import EVENT_TIME, TRUTH_TIME
from udfs.domain.window import LIFE_END_MS

__all__ = ["QualitySummary", "VersionQuality", "quality_summary"]

STAGES = frozenset({"truths", "inferences"})
"""Topics that dead letters of the truth join name; those of ``truths`` may also come from parsing."""


@dataclass(frozen=True, slots=True)
class VersionQuality:
    """One version in one role, over its whole life.

    Parameters
    ----------
    model, version, role
        Whose predictions these are.
    scored
        Predictions that count; ``excluded`` ones, of transactions it was trained on, do not.
    labelled, presumed, intervened, unlabelled
        The scored ones by what is known of them: a truth; genuine by age alone; a truth that is not comparable; nothing.
    coverage
        Share of the scored ones that are labelled, 0..1; None before the first.
    label_delay_p50_ms, label_delay_p90_ms
        From a transaction to its truth, milliseconds, for half and for nine tenths of the truths told; None before the
        first.
    set_aside
        What was set aside of this version and is no mere repetition.
    roc_auc, error_bound, ci_low, ci_high
        As in its newest row.
    """

    model: str
    version: str
    role: str
    scored: int
    excluded: int
    labelled: int
    presumed: int
    intervened: int
    unlabelled: int
    coverage: float | None
    label_delay_p50_ms: int | None
    label_delay_p90_ms: int | None
    set_aside: int
    roc_auc: float | None
    error_bound: float | None
    ci_low: float | None
    ci_high: float | None


@dataclass(frozen=True, slots=True)
class QualitySummary:
    """Every version, and what was set aside by reason.

    Parameters
    ----------
    versions
        By model, role and version.
    set_aside
        Distinct dead letters of truths and predictions by reason, also those that concern no version.
    """

    versions: tuple[VersionQuality, ...]
    set_aside: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """Return what ``weir status --json`` prints of it."""
        return {"versions": [asdict(version) for version in self.versions], "set_aside": self.set_aside}


def quality_summary(
    rows: Iterable[Mapping[str, Any]], dead_letters: Iterable[Mapping[str, Any]] = ()
) -> QualitySummary:
    """Sum up the truth per version.

    Parameters
    ----------
    rows
        Values of the topic ``model_quality`` in any order; a higher revision of a window replaces a lower one. Only
        rows of the whole life matter.
    dead_letters
        Values of the topic ``dead_letters``, in any order, also repeated; those of other topics are ignored.

    Examples
    --------
    >>> letter = {"topic": "truths", "partition": 0, "offset": 4, "reason": "superseded_truth"}
    >>> quality_summary([], [letter, letter]).set_aside
    {'superseded_truth': 1}
    """
    lives: dict[tuple[str, str, str], dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        if row["window_start_ms"] != 0 or row["window_end_ms"] != LIFE_END_MS:
            continue
        series = lives.setdefault((row["model"], row["role"], row["version"]), {})
        held = series.get(row["series"])
        if held is None or row["revision"] > held["revision"]:
            series[row["series"]] = row
    versions = [_version(series) for _, series in sorted(lives.items()) if EVENT_TIME in series]
    letters = {
        (letter["topic"], letter["partition"], letter["offset"], letter["reason"], letter.get("payload_sha256"))
        for letter in dead_letters
        if letter["topic"] in STAGES
    }
    reasons = Counter(reason for _, _, _, reason, _ in letters)
    return QualitySummary(tuple(versions), dict(sorted(reasons.items())))


def _version(series: Mapping[str, Mapping[str, Any]]) -> VersionQuality:
    row, told = series[EVENT_TIME], series.get(TRUTH_TIME, {})
    presumed = row.get("presumed", 0)
    return VersionQuality(
        model=row["model"],
        version=row["version"],
        role=row["role"],
        scored=row["scored"],
        excluded=row["excluded"],
        labelled=row["labelled"],
        presumed=presumed,
        intervened=row["intervened"],
        unlabelled=row["scored"] - row["labelled"] - presumed - row["intervened"],
        coverage=row["labelled"] / row["scored"] if row["scored"] else None,
        label_delay_p50_ms=told.get("label_delay_p50_ms"),
        label_delay_p90_ms=told.get("label_delay_p90_ms"),
        set_aside=row.get("set_aside", 0),
        roc_auc=row["roc_auc"],
        error_bound=row["error_bound"],
        ci_low=row["ci_low"],
        ci_high=row["ci_high"],
    )
