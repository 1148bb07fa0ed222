"""Counts whether every record of ``transactions`` was answered exactly once, from the topics alone.

The set of offsets in ``transactions`` must equal those of the champion's inferences, of the dead letters and of the
control records (design: the sum). It asks no component what it believes: it reads committed records and compares
positions.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import orjson

from connectors.kafka.reader import read_topic
from connectors.kafka.record import Record
from jobs.offset_counts import OffsetCounts
from jobs.transaction_sum import ChallengerSum, TransactionSum
from udfs.domain.control import Control
from udfs.domain.deployment import CHAMPION
from udfs.domain.event import Position
from udfs.domain.parsing import parse_transaction

__all__ = ["Accounting"]

SETTLE_MS = 5_000
"""A challenger reaches and leaves the scorers at slightly different moments: nothing so near them is judged."""
SHOWN = 10

Read = Callable[..., Iterator[Record]]
_Activation = tuple[str, str, int]


class Accounting:
    """The sum, kept up to date: each update reads only what came since the one before.

    Parameters
    ----------
    read
        Called with a topic and ``from_offsets``; yields its committed records up to its end now.

    Examples
    --------
    >>> def read(topic, from_offsets):
    ...     if topic == "transactions":
    ...         yield Record(0, 0, 5, None, b'{"transaction_id": 1}')
    >>> print(Accounting(read).update())
    1 transactions = 0 inferences + 0 dead letters (0 duplicates) + 0 closing records: off, 1 missing, 0 doubled, ...
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._next: dict[str, dict[int, int]] = defaultdict(dict)
        self._transactions: dict[int, OffsetCounts] = defaultdict(OffsetCounts)
        self._controls: dict[int, OffsetCounts] = defaultdict(OffsetCounts)
        self._champion: dict[int, OffsetCounts] = defaultdict(OffsetCounts)
        self._dead: dict[tuple[int, int], str] = {}
        self._null_scores = 0
        self._versions: Counter[str] = Counter()
        # Of champion inferences: partition, offset, time of prediction. Judges what a challenger should have scored.
        self._when = (array("i"), array("q"), array("q"))
        self._challengers: dict[_Activation, dict[int, OffsetCounts]] = defaultdict(lambda: defaultdict(OffsetCounts))
        self._spans: dict[_Activation, tuple[int, int]] = {}

    @staticmethod
    def of_broker(bootstrap: str) -> Accounting:
        """Return an accounting of the topics at a broker."""
        return Accounting(partial(read_topic, bootstrap))

    def update(self) -> TransactionSum:
        """Read what is new, and return the sum of everything so far.

        While a stream runs, ``missing`` also counts what is on its way.

        Raises
        ------
        ConnectionLostError
            If the broker does not answer.
        """
        # Answers first: whatever they answer then is in the topic that is read last.
        for record in self._news("inferences"):
            self._take_inference(orjson.loads(record.value or b"{}"))
        for record in self._news("dead_letters"):
            letter = orjson.loads(record.value or b"{}")
            if letter.get("topic") == "transactions":
                self._dead[letter["partition"], letter["offset"]] = letter["reason"]
        for record in self._news("transactions"):
            self._transactions[record.partition].add(record.offset)
            if _is_control(record):
                self._controls[record.partition].add(record.offset)
        return self._sum()

    def _news(self, topic: str) -> Iterator[Record]:
        reached = self._next[topic]
        for record in self._read(topic, from_offsets=dict(reached)):
            reached[record.partition] = record.offset + 1
            yield record

    def _take_inference(self, inference: Mapping[str, Any]) -> None:
        partition, offset = inference["source_partition"], inference["source_offset"]
        role, version, time_ms = inference["role"], inference["version"], inference["prediction_time_ms"]
        self._versions[f"{inference['model'] or '-'}/{version or '-'}/{role}"] += 1
        if role == CHAMPION:
            self._champion[partition].add(offset)
            self._null_scores += inference["score"] is None
            for column, value in zip(self._when, (partition, offset, time_ms), strict=True):
                column.append(value)
            return
        activation = (role, str(version), inference["deployment_seq"])
        self._challengers[activation][partition].add(offset)
        first, last = self._spans.get(activation, (time_ms, time_ms))
        self._spans[activation] = (min(first, time_ms), max(last, time_ms))

    def _sum(self) -> TransactionSum:
        dead: dict[int, OffsetCounts] = defaultdict(OffsetCounts)
        for partition, offset in self._dead:
            dead[partition].add(offset)
        missing: list[tuple[int, int]] = []
        doubled: list[tuple[int, int]] = []
        unknown = inferences = 0
        for partition in sorted({*self._transactions, *self._champion, *dead}):
            known = self._transactions[partition].offsets()
            champion = self._champion[partition]
            answers = champion.of(known) + dead[partition].of(known) + self._controls[partition].of(known)
            missing += [(partition, offset) for offset in known[answers == 0].tolist()]
            doubled += [(partition, offset) for offset in known[answers > 1].tolist()]
            answered = np.union1d(champion.offsets(), dead[partition].offsets())
            unknown += int((self._transactions[partition].of(answered) == 0).sum())
        inferences = len(self._when[0])
        reasons = Counter(self._dead.values())
        return TransactionSum(
            transactions=sum(len(each.offsets()) for each in self._transactions.values()),
            inferences=inferences,
            null_scores=self._null_scores,
            dead_letters=len(self._dead),
            duplicates=reasons["duplicate"],
            controls=sum(len(each.offsets()) for each in self._controls.values()),
            missing=len(missing),
            doubled=len(doubled),
            unknown=unknown,
            reasons=dict(sorted(reasons.items())),
            versions=dict(sorted(self._versions.items())),
            challengers=tuple(self._challenger_sum(activation) for activation in sorted(self._challengers)),
            first_missing=tuple(missing[:SHOWN]),
            first_doubled=tuple(doubled[:SHOWN]),
        )

    def _challenger_sum(self, activation: _Activation) -> ChallengerSum:
        partitions, offsets, times = (np.array(column, dtype=np.int64) for column in self._when)
        first, last = self._spans[activation]
        expected = (times > first + SETTLE_MS) & (times < last - SETTLE_MS)
        scored = missing = doubled = 0
        for partition in np.union1d(partitions, list(self._challengers[activation])).astype(int).tolist():
            counts = self._challengers[activation][partition]
            seen = counts.of(counts.offsets())
            scored += int(seen.sum())
            doubled += int((seen > 1).sum())
            missing += int((counts.of(np.unique(offsets[expected & (partitions == partition)])) == 0).sum())
        return ChallengerSum(*activation, scored, missing, doubled)


def _is_control(record: Record) -> bool:
    """Tell whether a record is a closing record, as the job does; most are told apart without parsing them."""
    if record.value is None or b'"control"' not in record.value:
        return False
    at = Position(partition=record.partition, offset=record.offset, ingestion_time_ms=record.timestamp_ms)
    return isinstance(parse_transaction(record.value.decode("utf-8", "replace"), at), Control)
