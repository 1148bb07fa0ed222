"""ROC AUC as counts per score, so that labels can be added and taken back; bounded state, and the error said.

The accumulator holds sorted, disjoint score intervals with the number of positives and negatives in each. While
distinct scores are few every interval is one score and the result is the exact Mann-Whitney statistic with ties at one
half (Mann HB, Whitney DR. Annals of Mathematical Statistics 1947;18:50-60; Bamber D. Journal of Mathematical
Psychology 1975;12:387-415). Above the limit neighbouring scores are merged. Pairs within a merged interval then count
one half too, and how far that can be off is known: half of them, which is published as the error bound.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from udfs.domain.auc_interval import auc_interval
from udfs.domain.precision_recall import PrecisionRecall, precision_recall
from udfs.domain.state_schema import check_schema

__all__ = ["AucResult", "RocAuc"]

SCHEMA = 1
_HEAD = struct.Struct("<BBIII4s")
_MERGED = 1
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class AucResult(NamedTuple):
    """A ROC AUC with all that is needed to judge it.

    Parameters
    ----------
    roc_auc
        0..1, or None with a reason: ``no_labels``, ``no_positives``, ``no_negatives``.
    reason
        Why there is none.
    error_bound
        The true value on the same scores lies within ``roc_auc`` +- this; 0.0 means exact.
    ci_low, ci_high
        95 % interval for the ROC AUC of the population, the error bound included.
    positives, negatives
        Labelled predictions of each class.
    """

    roc_auc: float | None
    reason: str | None
    error_bound: float | None
    ci_low: float | None
    ci_high: float | None
    positives: int
    negatives: int


class RocAuc:
    """Counts per score, and the ROC AUC they give.

    Parameters
    ----------
    limit
        Exact up to this many distinct scores.
    bins
        Beyond it, at most this many score intervals.

    Examples
    --------
    >>> auc = RocAuc()
    >>> auc.update_many([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    >>> auc.get().roc_auc, auc.get().error_bound
    (0.75, 0.0)
    >>> auc.update(0.4, 0, weight=-1)
    >>> auc.get().roc_auc
    1.0
    """

    __slots__ = ("_high", "_low", "_negatives", "_positives", "bins", "limit")

    def __init__(self, limit: int = 16384, bins: int = 2048) -> None:
        self.limit = limit
        self.bins = bins
        self._low: Floats = np.empty(0)
        self._high: Floats = self._low
        self._positives: Ints = np.empty(0, np.int64)
        self._negatives: Ints = self._positives

    def __len__(self) -> int:
        return len(self._low)

    @property
    def exact(self) -> bool:
        """Whether every interval is a single score."""
        return self._high is self._low

    def update(self, score: float, label: int, weight: int = 1) -> None:
        """Count one labelled score, or with weight -1 take it back."""
        self.update_many([score], [label], [weight])

    def update_many(self, scores: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> None:
        """Count labelled scores, all at once.

        Parameters
        ----------
        scores
            Finite scores. Zero has one sign.
        labels
            0 or 1 each.
        weights
            How often each counts; -1 takes one back. 1 each when not given.
        """
        values, at = np.unique(np.asarray(scores, np.float64) + 0.0, return_inverse=True)
        if not len(values):
            return
        label = np.asarray(labels) != 0
        weight = np.ones(len(at)) if weights is None else np.asarray(weights, np.float64)
        # bincount adds doubles: whole numbers below 2**53 add up exactly
        positives = np.bincount(at, weight * label, len(values)).astype(np.int64)
        negatives = np.bincount(at, weight * ~label, len(values)).astype(np.int64)
        some = (positives != 0) | (negatives != 0)
        self._add(values[some], positives[some], negatives[some])
        if len(self) > (self.limit if self.exact else self.bins):
            self._merge()

    def _add(self, values: Floats, positives: Ints, negatives: Ints) -> None:
        slot = np.searchsorted(self._low, values, side="right") - 1
        known = slot >= 0
        if len(self._low):
            known &= values <= self._high[slot]
        else:
            known[:] = False
        new = ~known
        slots = slot[new] + 1
        if known.any():
            # a merged interval may hold several of the values: add.at, not indexing
            self._positives = self._positives.copy()
            self._negatives = self._negatives.copy()
            np.add.at(self._positives, slot[known], positives[known])
            np.add.at(self._negatives, slot[known], negatives[known])
        if len(slots):
            exact = self.exact
            self._low = np.insert(self._low, slots, values[new])
            self._high = self._low if exact else np.insert(self._high, slots, values[new])
            self._positives = np.insert(self._positives, slots, positives[new])
            self._negatives = np.insert(self._negatives, slots, negatives[new])
        if known.any():
            kept = (self._positives != 0) | (self._negatives != 0)
            if not kept.all():
                self._keep(kept)

    def _keep(self, kept: NDArray[np.bool_]) -> None:
        exact = self.exact
        self._low = self._low[kept]
        self._high = self._low if exact else self._high[kept]
        self._positives = self._positives[kept]
        self._negatives = self._negatives[kept]

    def _merge(self) -> None:
        """Merge neighbours into at most ``bins`` intervals of like mass, where mass is half of the share in each class.

        Intervals go to ``bins`` slots by the middle of their mass. What shares a slot has less than two slots of mass
        together, which is under 4 / bins of either class: after the first merge the error bound is under 2 / bins. Rare
        positives have a slot, often several, of their own and lose nothing. Scores that drift later may fill an old
        interval unduly; the bound then grows and says so.
        """
        mass = np.zeros(len(self))
        for counts in (self._positives, self._negatives):
            total = int(np.abs(counts).sum())
            if total:
                mass += np.abs(counts) / total
        middle = np.cumsum(mass) - mass / 2
        slot = np.minimum((middle / mass.sum() * self.bins).astype(np.int64), self.bins - 1)
        starts = np.flatnonzero(np.diff(slot, prepend=-1))
        ends = np.append(starts[1:], len(self)) - 1
        self._low, self._high = self._low[starts], self._high[ends]
        self._positives = np.add.reduceat(self._positives, starts)
        self._negatives = np.add.reduceat(self._negatives, starts)

    def get(self) -> AucResult:
        """Return the ROC AUC of what is counted now."""
        positives, negatives = int(self._positives.sum()), int(self._negatives.sum())
        if positives <= 0 or negatives <= 0:
            reason = "no_labels" if positives <= 0 and negatives <= 0 else "no_positives"
            reason = "no_negatives" if positives > 0 else reason
            return AucResult(None, reason, None, None, None, positives, negatives)
        pairs = positives * negatives
        below = np.cumsum(self._negatives) - self._negatives
        # twice the Mann-Whitney U, in whole numbers; doubles only where int64 would overflow
        count = np.int64 if pairs < 2**61 else np.float64
        twice = np.dot(self._positives.astype(count), (2 * below + self._negatives).astype(count))
        auc = float(twice) / float(2 * pairs)
        bound = self._mixed_pairs(count) / float(2 * pairs)
        low, _ = auc_interval(max(0.0, auc - bound), positives, negatives)
        _, high = auc_interval(min(1.0, auc + bound), positives, negatives)
        return AucResult(auc, None, bound, low, high, positives, negatives)

    def precision_recall(self, false_positive_rate: float) -> PrecisionRecall:
        """Return average precision, and recall at a false-positive rate (0..1), of what is counted now."""
        return precision_recall(self._positives, self._negatives, self._low < self._high, false_positive_rate)

    def _mixed_pairs(self, count: type[np.int64] | type[np.float64]) -> float:
        """Pairs of a positive and a negative whose order is not known: both in an interval of more than one score."""
        if self.exact:
            return 0.0
        wide = self._low < self._high
        return float(np.dot(self._positives[wide].astype(count), self._negatives[wide].astype(count)))

    def encode(self) -> bytes:
        """Return the state as bytes, schema 1.

        Little-endian: u8 schema, u8 flags (1: merged), u32 limit, u32 bins, u32 length, the byte widths of the two
        counts and two bytes of room; then lows f64, highs f64 when merged, positives and negatives as the narrowest
        int.
        """
        positives, negatives = _narrow(self._positives), _narrow(self._negatives)
        widths = bytes((positives.itemsize, negatives.itemsize, 0, 0))
        head = _HEAD.pack(SCHEMA, 0 if self.exact else _MERGED, self.limit, self.bins, len(self), widths)
        highs = b"" if self.exact else self._high.tobytes()
        return b"".join((head, self._low.tobytes(), highs, positives.tobytes(), negatives.tobytes()))

    @classmethod
    def decode(cls, data: bytes) -> RocAuc:
        """Return the accumulator :meth:`encode` wrote.

        Raises
        ------
        JobError
            The bytes were written by a schema this program does not know.
        """
        schema, flags, limit, bins, length, widths = _HEAD.unpack_from(data)
        check_schema(schema, SCHEMA, "a ROC AUC")
        auc = cls(limit, bins)
        at = _HEAD.size
        auc._low = auc._high = np.frombuffer(data, "<f8", length, at)
        at += 8 * length
        if flags & _MERGED:
            auc._high = np.frombuffer(data, "<f8", length, at)
            at += 8 * length
        auc._positives = np.frombuffer(data, f"<i{widths[0]}", length, at).astype(np.int64)
        at += widths[0] * length
        auc._negatives = np.frombuffer(data, f"<i{widths[1]}", length, at).astype(np.int64)
        return auc


def _narrow(counts: Ints) -> NDArray[Any]:
    """Return the counts in the narrowest integers that hold them: most windows hold small ones."""
    most = int(np.abs(counts).max()) if len(counts) else 0
    for dtype in ("<i1", "<i2", "<i4"):
        if most <= np.iinfo(dtype).max:
            return counts.astype(dtype)
    return counts.astype("<i8")
