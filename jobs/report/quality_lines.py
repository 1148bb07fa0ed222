"""Turns rows of ``model_quality`` into lines to draw: one per model version and role, over event time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from udfs.domain.window import LIFE_END_MS

__all__ = ["QualityLine", "quality_lines"]


@dataclass(frozen=True, slots=True)
class QualityLine:
    """The ROC AUC of one version in one role, window by window.

    Parameters
    ----------
    version, role
        Whose line it is; a version that was challenger first and champion later has two.
    windows
        The newest row of each window, by its start; ``roc_auc`` is None where a class is missing.
    lifetime
        The newest row of the window over the version's whole life, None if there is none.
    """

    version: str
    role: str
    windows: tuple[Mapping[str, Any], ...]
    lifetime: Mapping[str, Any] | None


def quality_lines(rows: Iterable[Mapping[str, Any]], *, series: str = "event_time") -> list[QualityLine]:
    """Return the lines of the versions, the version that was there first first.

    Parameters
    ----------
    rows
        Values of the topic ``model_quality`` in any order; a higher revision of a window replaces a lower one. Rolling
        windows overlap and are left out.
    series
        Which of the two series of windows to take: ``event_time`` or ``truth_time``.

    Examples
    --------
    >>> row = {"version": "1", "role": "champion", "series": "event_time", "window_start_ms": 86_400_000,
    ...        "window_end_ms": 172_800_000, "roc_auc": 0.8, "revision": 1}
    >>> [line] = quality_lines([row | {"roc_auc": 0.9, "revision": 2}, row])
    >>> [window["roc_auc"] for window in line.windows], line.lifetime
    ([0.9], None)
    """
    newest: dict[tuple[str, str], dict[tuple[int, int], Mapping[str, Any]]] = {}
    for row in rows:
        if row["series"] == series and row.get("window") != "rolling":
            windows = newest.setdefault((row["version"], row["role"]), {})
            window = row["window_start_ms"], row["window_end_ms"]
            if window not in windows or row["revision"] > windows[window]["revision"]:
                windows[window] = row
    lines = [_line(version, role, windows) for (version, role), windows in newest.items()]
    return sorted(lines, key=lambda line: (line.windows[0]["window_start_ms"] if line.windows else 0, line.version))


def _line(version: str, role: str, windows: dict[tuple[int, int], Mapping[str, Any]]) -> QualityLine:
    lifetime = windows.pop((0, LIFE_END_MS), None)
    return QualityLine(version, role, tuple(windows[window] for window in sorted(windows)), lifetime)
