"""An open transaction in the truth join's state: its predictions so far, and its truth if it is known.

A record is one short binary string, because one is read and written per touched transaction and batch. Layout,
little-endian, schema 1::

    u8 schema | u8 flags | i64 event_time_ms | [ i64 revision | i64 truth_time_ms ]  the bracket only with flag TRUTH
    then for each prediction:  u32 name | u8 excluded | f64 score

``name`` is an index into the shard's table of (model, version, role). 23 bytes with one prediction, 52 with two and a
truth.
"""

from __future__ import annotations

import struct
from typing import Any

from udfs.domain.quality_change import Outcome

__all__ = ["OpenTransaction"]

SCHEMA = 1
_TRUTH, _LABEL, _INTERVENED, _PREDICTED = 1, 2, 4, 8
_NEGATIVE, _POSITIVE, _BLOCKED = int(Outcome.NEGATIVE), int(Outcome.POSITIVE), int(Outcome.INTERVENED)
_OUTCOME = {0: None, _TRUTH: _NEGATIVE, _TRUTH | _LABEL: _POSITIVE} | dict.fromkeys(
    (_TRUTH | _INTERVENED, _TRUTH | _LABEL | _INTERVENED), _BLOCKED
)
_HEAD, _HEAD_TRUTH, _PREDICTION = struct.Struct("<BBq"), struct.Struct("<BBqqq"), struct.Struct("<IBd")
_ONE = struct.Struct("<BBqIBd")


class OpenTransaction:
    """What is known of a transaction while its truth may still come or change.

    Parameters
    ----------
    event_time_ms
        The event time of the first prediction, epoch milliseconds; the truth's while there is no prediction.

    Attributes
    ----------
    predictions
        (excluded, score) by the name's index, in order of arrival.
    outcome
        How the truth makes a prediction count, an :class:`~udfs.domain.quality_change.Outcome`; None: not known.
    revision, truth_time_ms
        Of the truth; 0 while it is not known.
    truth_flags
        The truth as it is stored; 0 while it is not known.

    Examples
    --------
    >>> record = OpenTransaction(7)
    >>> record.learn(1, intervened=False, revision=0, truth_time_ms=9)
    >>> record.predictions[0] = (False, 0.25)
    >>> OpenTransaction.decode(record.encode()).outcome
    1
    """

    __slots__ = ("event_time_ms", "outcome", "predictions", "revision", "truth_flags", "truth_time_ms")

    def __init__(self, event_time_ms: int) -> None:
        self.event_time_ms = event_time_ms
        self.predictions: dict[int, tuple[bool, float]] = {}
        self.outcome: int | None = None
        self.revision = self.truth_time_ms = self.truth_flags = 0

    def learn(self, label: int, *, intervened: bool, revision: int, truth_time_ms: int) -> None:
        """Take this truth in place of the one held, if any."""
        self.truth_flags = _TRUTH | (_LABEL if label else 0) | (_INTERVENED if intervened else 0)
        self.outcome = _OUTCOME[self.truth_flags]
        self.revision, self.truth_time_ms = revision, truth_time_ms

    def encode(self) -> bytes:
        """Return the record as bytes of schema 1."""
        predictions = self.predictions
        flags = self.truth_flags | _PREDICTED if predictions else self.truth_flags
        if flags == _PREDICTED and len(predictions) == 1:
            ((name, (excluded, score)),) = predictions.items()
            return _ONE.pack(SCHEMA, flags, self.event_time_ms, name, excluded, score)
        if self.truth_flags:
            data = _HEAD_TRUTH.pack(SCHEMA, flags, self.event_time_ms, self.revision, self.truth_time_ms)
        else:
            data = _HEAD.pack(SCHEMA, flags, self.event_time_ms)
        for name, (excluded, score) in predictions.items():
            data += _PREDICTION.pack(name, excluded, score)
        return data

    @classmethod
    def decode(cls, data: bytes) -> OpenTransaction:
        """Return the record that :meth:`encode` wrote.

        Raises
        ------
        ValueError
            The bytes were written by a schema this program does not know.
        """
        if data[0] != SCHEMA:
            msg = f"An open transaction has schema {data[0]}; this program reads schema {SCHEMA}. Start the newer one."
            raise ValueError(msg)
        record: Any = cls.__new__(cls)  # filled below: this runs once per touched transaction
        truth = data[1] & ~_PREDICTED
        if truth:
            _, _, record.event_time_ms, record.revision, record.truth_time_ms = _HEAD_TRUTH.unpack_from(data)
            data = data[26:]
        else:
            record.event_time_ms = _HEAD.unpack_from(data)[2]
            record.revision = record.truth_time_ms = 0
            data = data[10:]
        record.truth_flags = truth
        record.outcome = _OUTCOME[truth]
        record.predictions = {name: (excluded != 0, score) for name, excluded, score in _PREDICTION.iter_unpack(data)}
        return record  # type: ignore[no-any-return]
