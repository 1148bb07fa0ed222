"""The newest row of each window of ``model_quality``, kept up to date while the job goes on revising them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from connectors.kafka.record import Record
from jobs.demo.tally import VersionTally
from udfs.domain.deployment import CHAMPION
from udfs.domain.quality_change import EVENT_TIME
from udfs.domain.window import LIFE_END_MS

__all__ = ["QualityRows"]

Read = Callable[..., Iterator[Record]]
Row = dict[str, Any]


class QualityRows:
    """Rows by window; each update reads only what came since the one before.

    Parameters
    ----------
    read
        Called with the topic and ``from_offsets``; yields its committed records up to its end now.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._reached: dict[int, int] = {}
        self._newest: dict[tuple[Any, ...], Row] = {}

    def update(self) -> None:
        """Read what is new."""
        for record in self._read("model_quality", from_offsets=dict(self._reached)):
            self._reached[record.partition] = record.offset + 1
            row: Row = orjson.loads(record.value or b"{}")
            key = tuple(row[name] for name in ("version", "role", "series", "window_start_ms", "window_end_ms"))
            if key not in self._newest or row["revision"] > self._newest[key]["revision"]:
                self._newest[key] = row

    def rows(self) -> list[Row]:
        """Return the newest row of each window."""
        return list(self._newest.values())

    def life(self, version: str) -> Row | None:
        """Return the row over a champion's whole life."""
        return self._newest.get((version, CHAMPION, EVENT_TIME, 0, LIFE_END_MS))

    def unsettled(self, versions: Mapping[str, VersionTally], *, windows_close: bool) -> str:
        """Tell what is still to come, empty when nothing is.

        Parameters
        ----------
        versions
            What the topics say each champion scored and which truths there are: the rows have to account for as much.
        windows_close
            Whether the stream ended with closing records that make every window final.
        """
        for version in versions.values():
            row = self.life(version.version)
            counted = version.scored - version.excluded
            if row is None or (row["scored"], row["excluded"]) != (counted, version.excluded):
                has = 0 if row is None else row["scored"]
                return f"version {version.version}: {has:,} of {counted:,} scores counted"
            labelled = version.positives + version.negatives
            if row["labelled"] != labelled:
                return f"version {version.version}: {row['labelled']:,} of {labelled:,} truths counted"
        windows = [row for row in self.rows() if row["window_end_ms"] != LIFE_END_MS]
        final = sum(row["final"] for row in windows)
        return f"{final:,} of {len(windows):,} windows final" if windows_close and final < len(windows) else ""
