"""What the truth join tells the quality stage: one prediction counts, or no longer counts, in one way.

Changes are differences, so a correction is a retraction (weight -1) of the old outcome and an addition (+1) of the new
one. They travel in batches, one JSON text in columns per model version and role, because the quality stage adds them
up with numpy. A change names the tumbling window it belongs to; rolling windows and the whole life follow from that.

There are two series. ``event_time``: the window of the transaction's own time, each transaction once, with its newest
truth; truth revises it however late it comes. What was known at a past moment are its rows published before that moment.
``truth_time``: the window of the time at which a truth was told. Each truth of a transaction, a correction too, counts
there once and nothing is ever taken back: it says what was told in that window, as it was told. A window that holds a
truth and its correction, as the whole life does, counts the transaction with both labels. Presumed labels are not in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

import orjson

__all__ = ["EVENT_TIME", "TRUTH_TIME", "Outcome", "QualityChange", "encode_changes", "split_version_key", "version_key"]

EVENT_TIME = "event_time"
"""The series by the event time of the original transaction; late truth revises it."""
TRUTH_TIME = "truth_time"
"""The series by the time a truth was told, of truths as told: a correction is one more and revises none."""


class Outcome(IntEnum):
    """In what way a prediction counts. The numbers are on the wire and in state: add, never renumber."""

    NEGATIVE = 0
    """The truth is 0: counts in the ROC AUC."""
    POSITIVE = 1
    """The truth is 1: counts in the ROC AUC."""
    SCORED = 2
    """A version scored it, whatever the truth; each prediction that is not excluded counts here once."""
    EXCLUDED = 3
    """The version was trained on it: counts nowhere else."""
    INTERVENED = 4
    """The transaction was blocked: there is a truth, but it is not comparable, so it stays out of the ROC AUC."""
    PRESUMED = 5
    """No truth came within the label maturity: counts as a negative, tagged, until a truth takes it back."""
    SET_ASIDE = 6
    """Something of this version was set aside that is no mere repetition; counts in no quality."""


class QualityChange(NamedTuple):
    """One difference to the counts of one model version in one role.

    Parameters
    ----------
    model, version, role
        Whose prediction it is.
    series
        ``event_time`` or ``truth_time``.
    window_start_ms
        Start of the tumbling window that the transaction's event time, or the truth's time, lies in.
    score
        The score as it was published.
    outcome
        An :class:`Outcome`, as a plain int.
    weight
        +1 to count it, -1 to take it back.
    delay_ms
        In the series ``truth_time``: from the transaction's event time to the truth's, milliseconds.
    """

    model: str
    version: str
    role: str
    series: str
    window_start_ms: int
    score: float
    outcome: int
    weight: int
    delay_ms: int = 0


def version_key(model: str, version: str, role: str) -> str:
    """Return the key of the quality stage: unambiguous whatever characters the names hold.

    Examples
    --------
    >>> version_key("cards", "3", "champion")
    '["cards","3","champion"]'
    """
    return orjson.dumps((model, version, role)).decode()


def split_version_key(key: str) -> tuple[str, str, str]:
    """Return model, version and role of a key made by :func:`version_key`.

    Examples
    --------
    >>> split_version_key('["cards","3","champion"]')
    ('cards', '3', 'champion')
    """
    model, version, role = orjson.loads(key)
    return model, version, role


def encode_changes(changes: Iterable[QualityChange]) -> dict[str, bytes]:
    """Return one JSON text per model version and role, under its key: what the truth join emits as ``Row(key, text)``.

    The order within a version is kept. Finite scores come back bit for bit (shortest decimal that round-trips).

    Examples
    --------
    >>> encode_changes([QualityChange("cards", "3", "champion", "event_time", 0, 0.25, Outcome.SCORED, 1)])
    {'["cards","3","champion"]': b'[["event_time",[0],[0.25],[2],[1]]]'}
    """
    groups: dict[tuple[str, str, str, str], list[QualityChange]] = {}
    for change in changes:
        who = change[:4]
        group = groups.get(who)
        if group is None:
            groups[who] = [change]
        else:
            group.append(change)
    batches: dict[str, list[list[object]]] = {}
    for (model, version, role, series), group in groups.items():
        # only the series by truth time has a column of delays
        columns = list(zip(*group, strict=True))[4 : 9 if series == TRUTH_TIME else 8]
        batches.setdefault(version_key(model, version, role), []).append([series, *columns])
    return {key: orjson.dumps(batch) for key, batch in batches.items()}
