"""How good one model version in one role is within one window: counts, ROC AUC, and the row that says so."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.domain.label_delay import LabelDelays
from udfs.domain.quality_change import TRUTH_TIME, Outcome
from udfs.domain.quality_rules import QualityRules
from udfs.domain.roc_auc import RocAuc
from udfs.domain.state_schema import check_schema
from udfs.domain.window import Window

__all__ = ["QualityWindow"]

SCHEMA = 1
_HEAD = struct.Struct("<BBxxIqqqqq")
_FINAL, _DELAYS = 1, 2
_LENGTH = struct.Struct("<I")


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
    presumed
        Negatives for which no truth came within the label maturity.
    set_aside
        What was set aside of this version and is no mere repetition.
    delays
        How long truth took, in windows of truth time.
    revision
        How many rows of this window were published.
    final
        Whether the newest row said so.
    """

    __slots__ = (
        "auc", "delays", "excluded", "final", "intervened", "presumed", "revision", "scored", "set_aside",
    )  # fmt: skip

    def __init__(self, limit: int = 16384, bins: int = 2048) -> None:
        self.scored = self.excluded = self.intervened = self.revision = 0
        self.presumed = self.set_aside = 0
        self.final = False
        self.auc = RocAuc(limit, bins)
        self.delays = LabelDelays()

    def update_many(self, scores: NDArray[np.float64], outcomes: NDArray[np.int64], weights: NDArray[np.int64]) -> None:
        """Count changes: scores, their :class:`Outcome` and +1 or -1 each."""
        counts = np.bincount(outcomes, weights, len(Outcome)).astype(np.int64)
        self.scored += int(counts[Outcome.SCORED])
        self.excluded += int(counts[Outcome.EXCLUDED])
        self.intervened += int(counts[Outcome.INTERVENED])
        self.presumed += int(counts[Outcome.PRESUMED])
        self.set_aside += int(counts[Outcome.SET_ASIDE])
        labelled = (outcomes <= Outcome.POSITIVE) | (outcomes == Outcome.PRESUMED)
        if labelled.any():
            self.auc.update_many(scores[labelled], outcomes[labelled] == Outcome.POSITIVE, weights[labelled])

    def publish(
        self, who: tuple[str, str, str], window: Window, rules: QualityRules, *, watermark_ms: int
    ) -> dict[str, Any]:
        """Return the next row of ``model_quality`` for this window, one revision up.

        Parameters
        ----------
        who
            Model, version, role.
        window
            Which window this is.
        rules
            By which windows are final.
        watermark_ms
            Epoch milliseconds.

        Returns
        -------
        dict
            ``positives`` and ``negatives`` are what the figures rest on; ``presumed`` of the negatives have no truth,
            the others are ``labelled``, and ``coverage`` is their share of ``scored``. In the series by truth time
            what is counted are truths told, a correction as one more: ``labelled`` and ``scored`` are their number, not that
            of transactions, and the label delays are theirs.
        """
        self.revision += 1
        self.final = not window.is_life and watermark_ms >= rules.final_at_ms(window)
        result = self.auc.get()
        ranking = self.auc.precision_recall(rules.false_positive_rate)
        labelled = result.positives + result.negatives - self.presumed
        scored = labelled + self.intervened if window.series == TRUTH_TIME else self.scored
        return {
            "model": who[0],
            "version": who[1],
            "role": who[2],
            "series": window.series,
            "window": rules.kind(window),
            "window_start_ms": window.start_ms,
            "window_end_ms": window.end_ms,
            "roc_auc": result.roc_auc,
            "reason": result.reason,
            "error_bound": result.error_bound,
            "ci_low": result.ci_low,
            "ci_high": result.ci_high,
            "average_precision": ranking.average_precision,
            "average_precision_error": ranking.average_precision_error,
            "false_positive_rate": rules.false_positive_rate,
            "recall_at_fpr": ranking.recall,
            "recall_at_fpr_error": ranking.recall_error,
            "positives": result.positives,
            "negatives": result.negatives,
            "presumed": self.presumed,
            "labelled": labelled,
            "scored": scored,
            "coverage": labelled / scored if scored else None,
            "excluded": self.excluded,
            "intervened": self.intervened,
            "set_aside": self.set_aside,
            "label_delay_p50_ms": self.delays.quantile(0.5),
            "label_delay_p90_ms": self.delays.quantile(0.9),
            "revision": self.revision,
            "final": self.final,
        }

    def encode(self) -> bytes:
        """Return the counts as bytes, schema 1: the head, the label delays behind their length if any, the ROC AUC.

        Head, little-endian: u8 schema, u8 flags (1: final, 2: delays), u16 of room, u32 revision, then as i64 scored,
        excluded, intervened, presumed, set aside.
        """
        delays = self.delays.encode()
        flags = (_FINAL if self.final else 0) | (_DELAYS if delays else 0)
        counts = (self.scored, self.excluded, self.intervened, self.presumed, self.set_aside)
        head = _HEAD.pack(SCHEMA, flags, self.revision, *counts)
        return head + (_LENGTH.pack(len(delays)) + delays if delays else b"") + self.auc.encode()

    @classmethod
    def decode(cls, data: bytes) -> QualityWindow:
        """Return the window :meth:`encode` wrote.

        Raises
        ------
        JobError
            The bytes were written by a schema this program does not know.
        """
        schema, flags, revision, *counts = _HEAD.unpack_from(data)
        check_schema(schema, SCHEMA, "a quality window")
        window = cls()
        window.revision, window.final = revision, bool(flags & _FINAL)
        window.scored, window.excluded, window.intervened, window.presumed, window.set_aside = counts
        at = _HEAD.size
        if flags & _DELAYS:
            (length,) = _LENGTH.unpack_from(data, at)
            at += _LENGTH.size
            window.delays = LabelDelays.decode(data[at : at + length])
            at += length
        window.auc = RocAuc.decode(data[at:])
        return window
