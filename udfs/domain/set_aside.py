"""What the truth join sets aside, and where it can be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from udfs.domain.dead_letter import dead_letter
from udfs.domain.event import Position, Prediction, Truth
from udfs.domain.payload import encode

__all__ = ["SetAside"]

_REPEATS = frozenset({"duplicate_prediction", "duplicate_truth"})
_DETAIL = {
    "conflicting_prediction": "this version and role scored the transaction before with another score, which stands",
    "score_not_finite": "a score that cannot be ranked",
    "too_late_prediction": "the retention of the transaction's event time was over",
    "conflicting_truth": "another label with the revision that is held; the graver of the two holds",
    "superseded_truth": "a higher revision is held",
    "too_late_correction": "the transaction was forgotten: the retention of its event time was over",
    "truth_without_prediction": "the retention is over and no version ever scored the transaction",
}
_NOWHERE = Position(partition=-1, offset=-1, ingestion_time_ms=0)


class SetAside(NamedTuple):
    """Something that does not count, and why.

    Parameters
    ----------
    reason
        One of those in ``udfs/domain/truth_join.py``.
    transaction_id
        Of the transaction.
    item
        What arrived; None for what was found in state.
    found
        What was found in state, with its position.
    """

    reason: str
    transaction_id: str
    item: Prediction | Truth | None
    found: Mapping[str, Any] | None = None

    @property
    def is_repeat(self) -> bool:
        """Whether it only repeats what already counts: such is counted in a metric and written nowhere.

        A source that resends everything would else fill the dead letters with what nobody needs to look at.
        """
        return self.reason in _REPEATS

    def dead_letter(self, time_ms: int) -> dict[str, Any]:
        """Return the record of ``dead_letters`` for it.

        A truth keeps its position in ``truths``. A prediction is named by the topic ``inferences`` and the position of
        its transaction in ``transactions``; it has an inference and so is no dead letter of that transaction. Position
        -1 stands for one that is not known any more.

        Parameters
        ----------
        time_ms
            When it was set aside, epoch milliseconds.

        Examples
        --------
        >>> at = {"partition": 1, "offset": 9, "ingestion_time_ms": 0, "kind": "truth", "transaction_id": "t1"}
        >>> letter = SetAside("too_late_correction", "t1", at).dead_letter(5)
        >>> letter["topic"], letter["partition"], letter["offset"], letter["reason"]
        ('truths', 1, 9, 'too_late_correction')
        """
        seen: Mapping[str, Any] = self.item or self.found or {}
        topic = "inferences" if seen.get("kind") == "prediction" else "truths"
        position: Any = seen if "partition" in seen else _NOWHERE
        value = encode({"transaction_id": self.transaction_id, **seen}).decode()
        detail = f"transaction {self.transaction_id:.80}: {_DETAIL[self.reason]}"
        return dead_letter(topic, position, self.reason, detail, value, time_ms)
