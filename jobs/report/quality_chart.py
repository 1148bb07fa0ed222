"""Draws the quality of the model versions over event time, with the swaps: the picture that ends a demo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from jobs.report.quality_lines import QualityLine, quality_lines

__all__ = ["draw_quality"]

# Okabe and Ito's palette without its yellow: told apart by eyes of every kind, and dark enough on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
INK, QUIET, GRID = "#222222", "#666666", "#DDDDDD"
CHAMPION = "champion"
CHANCE = 0.5
DAY_MS = 86_400_000
DASH_OF_CHALLENGERS = (0, (4, 2))


def draw_quality(rows: Iterable[Mapping[str, Any]], swaps: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write a PNG of ROC AUC over event time per model version, its 95 % interval, and when versions were swapped.

    Parameters
    ----------
    rows
        Values of the topic ``model_quality``; series other than ``event_time`` are left out.
    swaps
        One mapping per swap of the champion: the versions ``from`` and ``to``, and ``event_time_ms`` of the first
        transaction the new version scored.
    path
        The PNG to write; its folder is made.
    """
    lines = quality_lines(rows)
    # A Figure of its own, not pyplot: no window system, no state shared with the rest of the process.
    figure = Figure(figsize=(10.5, 6.0), dpi=150, layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    height: Counter[float] = Counter()
    for line, colour in zip(lines, _colours(lines), strict=True):
        _draw_line(top, line, colour)
        if line.role == CHAMPION:  # challengers see the same frauds
            _draw_frauds(bottom, line, colour, height)
    for swap in swaps:
        _draw_swap(top, bottom, swap)
    _finish_quality(top)
    _finish_frauds(bottom, lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png")


def _colours(lines: Iterable[QualityLine]) -> list[str]:
    """Give each version one colour, whatever its roles were."""
    versions: dict[str, str] = {}
    return [versions.setdefault(line.version, COLOURS[len(versions) % len(COLOURS)]) for line in lines]


def _draw_line(axes: Axes, line: QualityLine, colour: str) -> None:
    # A window without both classes has no ROC AUC: NaN breaks the line there instead of bridging it.
    values = [_number(window["roc_auc"]) for window in line.windows]
    low = [_number(window["ci_low"]) for window in line.windows]
    high = [_number(window["ci_high"]) for window in line.windows]
    middles = [_middle(window) for window in line.windows]
    if len(middles) == 1:
        error = [[values[0] - low[0]], [high[0] - values[0]]]
        axes.errorbar(middles, values, error, color=colour, capsize=4, linewidth=1.0)
    axes.fill_between(middles, low, high, color=colour, alpha=0.15, linewidth=0)
    style = "solid" if line.role == CHAMPION else DASH_OF_CHALLENGERS
    label = _label(line)
    axes.plot(middles, values, color=colour, linestyle=style, linewidth=1.8, marker="o", markersize=3.5, label=label)


def _label(line: QualityLine) -> str:
    name = f"version {line.version}" + ("" if line.role == CHAMPION else f" ({line.role})")
    life = line.lifetime
    if life is None or life["roc_auc"] is None:
        return name
    return f"{name}: {life['roc_auc']:.4f} overall, {life['positives']:,} frauds in {life['labelled']:,} labelled"


def _draw_frauds(axes: Axes, line: QualityLine, colour: str, height: Counter[float]) -> None:
    """Stack the frauds of a champion on those of the one before it, with which it shares the window of the swap."""
    for window in line.windows:
        start = _date(window["window_start_ms"])
        width, frauds = _date(window["window_end_ms"]) - start, window["positives"]
        axes.bar(start, frauds, width, height[start], align="edge", color=colour, alpha=0.6, edgecolor="white")
        height[start] += frauds


def _draw_swap(top: Axes, bottom: Axes, swap: Mapping[str, Any]) -> None:
    when = _date(swap["event_time_ms"])
    for axes in (top, bottom):
        axes.axvline(when, color=INK, linewidth=1.0, linestyle=(0, (2, 2)))
    text = f"{swap['from']} → {swap['to']}"
    top.annotate(
        text,
        (when, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 4),
        textcoords="offset points",
        ha="center",
        color=INK,
        fontsize=9,
    )


def _finish_quality(axes: Axes) -> None:
    axes.set_title(
        "How well each model version tells fraud from the rest", loc="left", pad=24, color=INK, fontweight="bold"
    )
    axes.set_ylabel("ROC AUC (1 = perfect)", color=INK)
    axes.axhline(CHANCE, color=QUIET, linewidth=0.8)
    axes.annotate("chance", (0.005, CHANCE), xycoords=("axes fraction", "data"), va="bottom", fontsize=8, color=QUIET)
    axes.set_ylim(min(0.45, *axes.get_ylim()), 1.005)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower right", frameon=True, framealpha=1.0, edgecolor=GRID, fontsize=9)
    _calm(axes)


def _finish_frauds(axes: Axes, lines: Sequence[QualityLine]) -> None:
    axes.set_ylabel("frauds known", color=INK)
    span = next((_span(line.windows[0]) for line in lines if line.windows), "window")
    axes.set_xlabel(f"event time (UTC); one point per {span}, shaded: 95 % confidence interval", color=INK)
    locator = AutoDateLocator()  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    _calm(axes)


def _calm(axes: Axes) -> None:
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=QUIET)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(GRID)


def _span(window: Mapping[str, Any]) -> str:
    seconds = (window["window_end_ms"] - window["window_start_ms"]) / 1000
    for name, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds % length == 0:
            count = int(seconds // length)
            return name if count == 1 else f"{count} {name}s"
    return f"{seconds:g} seconds"


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _middle(window: Mapping[str, Any]) -> float:
    return _date((window["window_start_ms"] + window["window_end_ms"]) / 2)


def _date(time_ms: float) -> float:
    """Return a time as matplotlib counts it: days since 1970, UTC."""
    return time_ms / DAY_MS
