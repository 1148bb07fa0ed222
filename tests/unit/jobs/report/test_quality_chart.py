"""The picture at the end of a demo: newest revisions only, one line per version, a mark at each swap."""

from __future__ import annotations

import math
import random

import pytest

from jobs.report import quality_chart
from jobs.report.quality_chart import draw_quality
from jobs.report.quality_lines import quality_lines
from udfs.domain.auc_interval import auc_interval
from udfs.domain.window import LIFE_END_MS

DAY_MS = 86_400_000
START_MS = 1_767_225_600_000  # 2026-01-01
PNG = b"\x89PNG\r\n\x1a\n"


def quality_row(version, start_ms, auc, positives, *, role="champion", revision=1, end_ms=None, series="event_time"):
    low, high = auc_interval(auc, positives, 1500) if auc is not None else (None, None)
    return {
        "model": "fraud", "version": version, "role": role, "series": series, "window_start_ms": start_ms,
        "window_end_ms": end_ms or start_ms + DAY_MS, "roc_auc": auc, "reason": None if auc else "no_positives",
        "error_bound": 0.0, "ci_low": low, "ci_high": high, "positives": positives, "negatives": 1500,
        "labelled": 1500 + positives, "scored": 1700, "excluded": 0, "revision": revision, "final": True,
    }  # fmt: skip


def two_versions(days=60, swap_day=27):
    """Return rows of a demo: version 1, swapped for a better one; one day without frauds; early revisions."""
    chance = random.Random(7)
    rows = [quality_row(version, 0, auc, frauds, end_ms=LIFE_END_MS) for version, auc, frauds in
            (("1", 0.8132, 402), ("2", 0.9247, 611))]  # fmt: skip
    for day in range(days):
        for version, level in (("1", 0.81), ("2", 0.925)):
            if (day <= swap_day) if version == "1" else (day >= swap_day):
                auc = None if day == 40 else min(1.0, chance.gauss(level, 0.025))
                start_ms = START_MS + day * DAY_MS
                rows.append(quality_row(version, start_ms, 0.6, 2, revision=1))
                rows.append(
                    quality_row(version, start_ms, auc, 0 if auc is None else chance.randint(8, 24), revision=9)
                )
    chance.shuffle(rows)
    return rows, [{"from": "1", "to": "2", "event_time_ms": START_MS + swap_day * DAY_MS + DAY_MS // 3}]


@pytest.fixture
def drawn(monkeypatch):
    """Return the figures that were drawn, to look at what is on them."""
    figures = []

    class Kept(quality_chart.Figure):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            figures.append(self)

    monkeypatch.setattr(quality_chart, "Figure", Kept)
    return figures


def test_a_demo_gives_a_picture_with_a_line_per_version_and_a_mark_at_the_swap(drawn, tmp_path):
    rows, swaps = two_versions()
    draw_quality(rows, swaps, tmp_path / "deep" / "quality.png")
    assert (tmp_path / "deep" / "quality.png").read_bytes().startswith(PNG)
    top = drawn[0].axes[0]
    assert top.get_legend_handles_labels()[1] == [
        "version 1: 0.8132 overall, 402 frauds in 1,902 labelled",
        "version 2: 0.9247 overall, 611 frauds in 2,111 labelled",
    ]
    assert "1 → 2" in [text.get_text() for text in top.texts]


def test_a_window_without_frauds_breaks_the_line_instead_of_bridging_it(drawn, tmp_path):
    rows, swaps = two_versions()
    draw_quality(rows, swaps, tmp_path / "quality.png")
    values = drawn[0].axes[0].get_legend_handles_labels()[0][1].get_ydata()
    assert [math.isnan(value) for value in values].count(True) == 1


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [quality_row("1", START_MS, 0.9, 5)],
        [quality_row("1", START_MS, None, 0)],
        [quality_row("1", 0, 0.9, 5, end_ms=LIFE_END_MS)],
        [quality_row("1", START_MS, 0.2, 5), quality_row("2", START_MS, 0.9, 5, role="challenger-a")],
    ],
    ids=["nothing", "one window", "no ROC AUC", "only the whole life", "worse than chance, and a challenger"],
)
def test_little_data_gives_a_picture_too(rows, tmp_path):
    draw_quality(rows, [], tmp_path / "quality.png")
    assert (tmp_path / "quality.png").read_bytes().startswith(PNG)


def test_the_newest_revision_of_a_window_counts_whatever_the_order():
    rows = [quality_row("1", START_MS, auc, 5, revision=revision) for auc, revision in ((0.7, 2), (0.9, 3), (0.6, 1))]
    [line] = quality_lines(rows)
    assert [window["roc_auc"] for window in line.windows] == [0.9]


def test_the_first_day_of_the_epoch_is_not_taken_for_the_whole_life():
    first_day, life = quality_row("1", 0, 0.8, 5), quality_row("1", 0, 0.9, 5, end_ms=LIFE_END_MS)
    [line] = quality_lines([life, first_day])
    assert (line.windows, line.lifetime) == ((first_day,), life)


def test_the_other_series_is_left_out():
    assert quality_lines([quality_row("1", START_MS, 0.8, 5, series="truth_time")]) == []
