"""How good one model version in one role is within one window: counts, ROC AUC, and the row that says so."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.domain.quality_change import EVENT_TIME, Outcome
from udfs.domain.roc_auc import RocAuc

__all__ = ["LIFE_END_MS", "QualityWindow", "Window"]

SCHEMA = 1
LIFE_END_MS = 4_102_444_800_000
"""2100-01-01: the end of the window that counts a version's whole life."""
_HEAD = struct.Struct("<BBxxIqqqqq")
_FINAL = 1


class Window(NamedTuple):
    """Which window: ``[start_ms, end_ms)`` of a series."""

    series: str
    start_ms: int
    end_ms: int

    @property
    def key(self) -> str:
        """The window's key in the state of its version.

        Examples
        --------
        >>> Window("event_time", 0, 3_600_000).key
        'event_time/0/3600000'
        """
        return f"{self.series}/{self.start_ms}/{self.end_ms}"

    @property
    def is_life(self) -> bool:
        """Whether it counts the version's whole life; it never becomes final while the job runs."""
        return self.start_ms == 0 and self.end_ms == LIFE_END_MS


class QualityWindow:
    """The counts of one window.

    Parameters
    ----------
    limit, bins
        Of its :class:`~udfs.domain.roc_auc.RocAuc`.

    Attributes
    ----------
    scored
        Predictions made, without excluded ones.
    excluded
        Predictions of transactions the version was trained on.
    intervened
        Scored predictions whose transaction was blocked.
    revision
        How many rows of this window were published.
    final
        Whether the newest row said so.
    """

    __slots__ = ("auc", "excluded", "final", "intervened", "revision", "scored")

    def __init__(self, limit: int = 16384, bins: int = 2048) -> None:
        self.scored = self.excluded = self.intervened = self.revision = 0
        self.final = False
        self.auc = RocAuc(limit, bins)

    def update_many(self, scores: NDArray[np.float64], outcomes: NDArray[np.int64], weights: NDArray[np.int64]) -> None:
        """Count changes: scores, their :class:`Outcome` and +1 or -1 each."""
        counts = np.bincount(outcomes, weights, len(Outcome)).astype(np.int64)
        self.scored += int(counts[Outcome.SCORED])
        self.excluded += int(counts[Outcome.EXCLUDED])
        self.intervened += int(counts[Outcome.INTERVENED])
        labelled = outcomes <= Outcome.POSITIVE
        if labelled.any():
            self.auc.update_many(scores[labelled], outcomes[labelled], weights[labelled])

    def publish(
        self, who: tuple[str, str, str], window: Window, *, watermark_ms: int, retention_ms: int
    ) -> dict[str, Any]:
        """Return the next row of ``model_quality`` for this window, one revision up.

        Parameters
        ----------
        who
            Model, version, role.
        window
            Which window this is.
        watermark_ms
            Epoch milliseconds; with it past the window's end and the retention the row is final.
        retention_ms
            How long truth is waited for, milliseconds.
        """
        self.revision += 1
        self.final = watermark_ms >= window.end_ms + retention_ms
        result = self.auc.get()
        return {
            "model": who[0],
            "version": who[1],
            "role": who[2],
            "series": window.series,
            "window_start_ms": window.start_ms,
            "window_end_ms": window.end_ms,
            "roc_auc": result.roc_auc,
            "reason": result.reason,
            "error_bound": result.error_bound,
            "ci_low": result.ci_low,
            "ci_high": result.ci_high,
            "positives": result.positives,
            "negatives": result.negatives,
            "labelled": result.positives + result.negatives,
            "scored": self.scored,
            "excluded": self.excluded,
            "intervened": self.intervened,
            "revision": self.revision,
            "final": self.final,
        }

    def encode(self) -> bytes:
        """Return the counts as bytes: schema, flags, revision, scored, excluded, intervened, room, then the ROC AUC."""
        flags = _FINAL if self.final else 0
        head = _HEAD.pack(SCHEMA, flags, self.revision, self.scored, self.excluded, self.intervened, 0, 0)
        return head + self.auc.encode()

    @classmethod
    def decode(cls, data: bytes) -> QualityWindow:
        """Return the window :meth:`encode` wrote.

        Raises
        ------
        ValueError
            The bytes were written by a schema this program does not know.
        """
        schema, flags, revision, scored, excluded, intervened, _, _ = _HEAD.unpack_from(data)
        if schema != SCHEMA:
            msg = f"A quality window has schema {schema}; this program reads schema {SCHEMA}. Start the newer program."
            raise ValueError(msg)
        window = cls()
        window.revision, window.final = revision, bool(flags & _FINAL)
        window.scored, window.excluded, window.intervened = scored, excluded, intervened
        window.auc = RocAuc.decode(data[_HEAD.size :])
        return window


def life_window(series: str = EVENT_TIME) -> Window:
    """Return the window of a version's whole life."""
    return Window(series, 0, LIFE_END_MS)
