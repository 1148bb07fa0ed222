"""Writes what a watch has seen as files: the page with its document in it, and the charts as PNGs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jobs.report.quality_chart import draw_quality
from jobs.report.watch_charts import draw_watch_charts
from jobs.watching.page_file import page_with
from udfs.domain.errors import SettingsError

__all__ = ["write_report"]


def write_report(document: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], folder: Path) -> list[Path]:
    """Write ``index.html`` and a PNG per chart that has something to show.

    Parameters
    ----------
    document
        What the watch made.
    rows
        The newest row of each window of ``model_quality``.
    folder
        Where to; it is made. Files of the same names are replaced.

    Raises
    ------
    SettingsError
        When the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        page = folder / "index.html"
        page.write_text(page_with(document), encoding="utf-8")
        written = [page]
        if any(row["roc_auc"] is not None for row in rows):
            draw_quality(rows, document["swaps"], folder / "quality.png")
            written.append(folder / "quality.png")
        return written + draw_watch_charts(document, folder)
    except OSError as error:
        msg = f"The report cannot be written to {folder}: {error.strerror}. Choose a folder of your own."
        raise SettingsError(msg) from error
