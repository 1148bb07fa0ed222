"""An open transaction in the truth join's state: its predictions so far, and every truth that was told of it.

A record is one short binary string, because one is read and written per touched transaction and batch. Layout,
little-endian, schema 2::

    u8 schema | u8 flags and number of truths | i64 event_time_ms
    for each truth, in ascending order:  i64 revision | u8 outcome | i64 truth_time_ms
    with flag ORIGIN:  i32 partition | i64 offset | i64 ingestion_time_ms
    for each prediction:  u32 name | u8 excluded | f64 score

``name`` is an index into the shard's table of (model, version, role). 23 bytes with one prediction, 53 with two and a
truth.
"""

from __future__ import annotations

import struct
from bisect import insort
from typing import Any, NamedTuple

from udfs.domain.event import Position
from udfs.domain.quality_change import Outcome
from udfs.domain.state_schema import check_schema

__all__ = ["OpenTransaction", "Telling"]

SCHEMA = 2
MOST_TELLINGS = 63
"""Truths kept of one transaction: the greatest ones. A sender who tells more often than that repeats itself."""
_PRESUMED, _ORIGIN = 0x80, 0x40
_HEAD, _TELLING, _PREDICTION = struct.Struct("<BBq"), struct.Struct("<qBq"), struct.Struct("<IBd")
_POSITION = struct.Struct("<iqq")
_ONE = struct.Struct("<BBqIBd")
_PRESUMED_GENUINE = int(Outcome.PRESUMED)


class Telling(NamedTuple):
    """One truth of a transaction, told once or many times. The greatest of a transaction is the one that holds.

    Parameters
    ----------
    revision
        A higher one replaces a lower.
    outcome
        An :class:`~udfs.domain.quality_change.Outcome` as a plain int. Of two with one revision the graver holds:
        intervened, then fraud; so the order of arrival decides nothing.
    truth_time_ms
        When it became known, epoch milliseconds.
    """

    revision: int
    outcome: int
    truth_time_ms: int


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
    tellings
        Distinct truths in ascending order: the last one holds.
    presumed
        Whether its predictions count as genuine because no truth came in time; never together with a truth.
    origin
        Where the newest truth stood, kept only while there is no prediction to show that it was of use.

    Examples
    --------
    >>> record = OpenTransaction(7)
    >>> record.learn(Telling(0, 1, 9)), record.learn(Telling(0, 1, 9))
    (True, False)
    >>> record.predictions[0] = (False, 0.25)
    >>> OpenTransaction.decode(record.encode()).outcome
    1
    """

    __slots__ = ("event_time_ms", "origin", "predictions", "presumed", "tellings")

    def __init__(self, event_time_ms: int) -> None:
        self.event_time_ms = event_time_ms
        self.predictions: dict[int, tuple[bool, float]] = {}
        self.tellings: list[Telling] = []
        self.presumed = False
        self.origin: Position | None = None

    @property
    def outcome(self) -> int | None:
        """How its predictions count, an :class:`~udfs.domain.quality_change.Outcome`; None: no truth, none presumed."""
        if self.tellings:
            return self.tellings[-1].outcome
        return _PRESUMED_GENUINE if self.presumed else None

    def learn(self, telling: Telling) -> bool:
        """Keep a truth, and say whether it is news."""
        tellings = self.tellings
        if telling in tellings or (len(tellings) == MOST_TELLINGS and telling < tellings[0]):
            return False
        insort(tellings, telling)
        del tellings[:-MOST_TELLINGS]
        self.presumed = False
        return True

    def encode(self) -> bytes:
        """Return the record as bytes of schema 2."""
        predictions, tellings = self.predictions, self.tellings
        flags = len(tellings) | (_PRESUMED if self.presumed else 0)
        if len(predictions) == 1 and not tellings:
            ((name, (excluded, score)),) = predictions.items()
            return _ONE.pack(SCHEMA, flags, self.event_time_ms, name, excluded, score)
        origin = self.origin if not predictions else None
        data = _HEAD.pack(SCHEMA, flags | (_ORIGIN if origin else 0), self.event_time_ms)
        for telling in tellings:
            data += _TELLING.pack(*telling)
        if origin:
            data += _POSITION.pack(origin["partition"], origin["offset"], origin["ingestion_time_ms"])
        for name, (excluded, score) in predictions.items():
            data += _PREDICTION.pack(name, excluded, score)
        return data

    @classmethod
    def decode(cls, data: bytes) -> OpenTransaction:
        """Return the record that :meth:`encode` wrote.

        Raises
        ------
        JobError
            The bytes were written by a schema this program does not know.
        """
        schema, flags, event_time_ms = _HEAD.unpack_from(data)
        check_schema(schema, SCHEMA, "an open transaction")
        record: Any = cls.__new__(cls)  # filled below: this runs once per touched transaction
        record.event_time_ms, record.presumed, record.origin = event_time_ms, bool(flags & _PRESUMED), None
        end = _HEAD.size + (flags & MOST_TELLINGS) * _TELLING.size
        record.tellings = [Telling(*told) for told in _TELLING.iter_unpack(data[_HEAD.size : end])]
        if flags & _ORIGIN:
            partition, offset, ingestion_time_ms = _POSITION.unpack_from(data, end)
            record.origin = Position(partition=partition, offset=offset, ingestion_time_ms=ingestion_time_ms)
            end += _POSITION.size
        record.predictions = {
            name: (excluded != 0, score) for name, excluded, score in _PREDICTION.iter_unpack(data[end:])
        }
        return record  # type: ignore[no-any-return]
