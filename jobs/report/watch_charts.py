"""Draws the page's other charts as PNGs, for documents that cannot hold a page: scores, transactions, latency, drift."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from jobs.report.quality_chart import COLOURS, GRID, INK, QUIET

__all__ = ["draw_watch_charts"]

CHAMPION = "champion"
SHOWN_FEATURES = 12


def draw_watch_charts(document: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write one PNG for each chart that has something to show.

    Parameters
    ----------
    document
        What :class:`jobs.watching.watch.Watch` made.
    folder
        Where to; it is made.

    Returns
    -------
    list of Path
        What was written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    charts: dict[str, tuple[bool, Callable[[Axes, Mapping[str, Any]], None]]] = {
        "scores.png": (bool(document["scores"]["lines"]), _scores),
        "transactions.png": (bool(document["flow"]["points"]), _transactions),
        "latency.png": (any(point[4] is not None for point in document["flow"]["points"]), _latency),
        "drift.png": (document["drift"]["score"] is not None, _drift),
    }
    written = []
    for name, (has_something, draw) in charts.items():
        if has_something:
            figure = Figure(figsize=(10.5, 4.2), dpi=150, layout="constrained")
            draw(figure.subplots(), document)
            figure.savefig(folder / name, format="png")
            written.append(folder / name)
    return written


def _scores(axes: Axes, document: Mapping[str, Any]) -> None:
    scores = document["scores"]
    for place, line in enumerate(scores["lines"]):
        edges = np.linspace(scores["low"], scores["high"], len(line["shares"]) + 1)
        name = f"version {line['version']}" + ("" if line["role"] == CHAMPION else f" ({line['role']})")
        axes.stairs(
            line["shares"],
            edges.tolist(),
            color=COLOURS[place % len(COLOURS)],
            linestyle="solid" if line["role"] == CHAMPION else (0, (4, 2)),
            linewidth=1.8,
            label=f"{name}: {line['count']:,} scores",
        )
    axes.legend(frameon=False, fontsize=9)
    _finish(axes, "How often each version gives which score", "share of its scores")
    axes.set_xlabel("score", color=INK)


def _transactions(axes: Axes, document: Mapping[str, Any]) -> None:
    points, width = document["flow"]["points"], document["flow"]["bucket_ms"] / 86_400_000
    times = [_date(point[0]) for point in points]
    names = (("scored", COLOURS[0]), ("late", COLOURS[5]), ("dead letters", COLOURS[1]))
    for column, (name, colour) in enumerate(names, start=1):
        values = [point[column] for point in points]
        bottom = [point[1] for point in points] if name == "dead letters" else None
        axes.bar(times, values, width, bottom, align="edge", color=colour, label=f"{name}: {sum(values):,}")  # type: ignore[arg-type]
    axes.legend(frameon=False, fontsize=9)
    _finish(axes, "Transactions as they came in", f"per {document['flow']['bucket_ms'] / 1_000:g} s")
    _time_axis(axes)


def _latency(axes: Axes, document: Mapping[str, Any]) -> None:
    points = [point for point in document["flow"]["points"] if point[4] is not None]
    times = [_date(point[0]) for point in points]
    for column, name, colour in ((5, "p99", QUIET), (4, "p50", COLOURS[0])):
        values = [max(1, point[column]) for point in points]
        axes.plot(times, values, color=colour, linewidth=1.8, label=name, marker="o", markersize=2)  # type: ignore[arg-type]
    axes.set_yscale("log")
    axes.legend(frameon=False, fontsize=9)
    _finish(axes, "From a transaction's arrival in Kafka to its score", "milliseconds")
    _time_axis(axes)


def _drift(axes: Axes, document: Mapping[str, Any]) -> None:
    drift = document["drift"]
    shown = [("score", drift["score"])] + [(each["feature"], each["index"]) for each in drift["features"]]
    shown = shown[: SHOWN_FEATURES + 1][::-1]
    colours = [COLOURS[1] if index > 0.25 else COLOURS[5] if index > 0.1 else COLOURS[2] for _, index in shown]
    axes.barh([name for name, _ in shown], [index for _, index in shown], color=colours)
    title = f"Drift of version {drift['version']}: newest {drift['recent']:,} against first {drift['reference']:,}"
    _finish(axes, title, "")
    axes.set_xlabel("population stability index; above 0.1 look, above 0.25 it is another population", color=INK)


def _finish(axes: Axes, title: str, label: str) -> None:
    axes.set_title(title, loc="left", color=INK, fontweight="bold")
    axes.set_ylabel(label, color=INK)
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=QUIET)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _time_axis(axes: Axes) -> None:
    locator = AutoDateLocator()  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.set_xlabel("time (UTC)", color=INK)


def _date(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1_000, UTC)
