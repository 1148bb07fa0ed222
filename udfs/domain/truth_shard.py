"""What the truth join keeps once per shard: names, its own clock, and which transactions are to be forgotten when.

Timers per transaction would cost more than the join itself. Instead each new record's id is appended to a list of its
time slice (a 64th of the retention), a few ids per state entry; slices that are due are taken off the lists a piece at
a time, as fast as new records come. Before that, each piece is looked at once when the labels of its slice are mature.
Reserved state keys begin with a NUL character.
"""

from __future__ import annotations

from collections.abc import MutableMapping

import orjson

from udfs.domain.state_schema import check_schema
from udfs.domain.truth_record import OpenTransaction

__all__ = ["NEVER", "SHARD_KEY", "TruthShard", "state_key"]

SCHEMA = 2
SLICES = 64
PIECE_BYTES = 2048
NEVER = -(2**63)
"""Flink's watermark before the first one: nothing is due."""
SHARD_KEY = "\x00shard"
Names = tuple[str, str, str]


def state_key(transaction_id: str) -> str:
    r"""Return the state key of a transaction: its id, moved aside where it would meet a reserved key.

    Examples
    --------
    >>> state_key("17"), state_key("\x00shard")
    ('17', '\x00=\x00shard')
    """
    return "\x00=" + transaction_id if transaction_id[:1] == "\x00" else transaction_id


class TruthShard:
    """The shard's own entry in the state, and its lists of transactions to forget.

    Parameters
    ----------
    state
        The shard's MapState as a mapping; read at once, written by :meth:`write`.
    retention_ms
        How long after its event time a transaction waits for truth, milliseconds.
    maturity_ms
        How long after its event time a transaction without truth is presumed genuine, milliseconds; 0 is never.

    Attributes
    ----------
    names
        (model, version, role) by the index that records hold; only ever appended to.
    clock_ms
        The greatest event time of the predictions this shard has seen. Together with the watermark it says what is
        past: a batching window lets the watermark overtake what it holds, and this clock cannot be overtaken.
    """

    __slots__ = (
        "_due", "_fresh", "_loaded", "_maturity_ms", "_retention_ms", "_slice_ms", "_state", "clock_ms", "index", "names",
    )  # fmt: skip

    def __init__(self, state: MutableMapping[str, bytes], retention_ms: int, maturity_ms: int = 0) -> None:
        self._state = state
        self._retention_ms = retention_ms
        self._maturity_ms = maturity_ms
        self._slice_ms = max(1, retention_ms // SLICES)
        self._fresh: dict[int, list[str]] = {}
        self._loaded = state.get(SHARD_KEY)
        self.names: list[Names] = []
        self.clock_ms = NEVER
        # by the end of the slice: how many pieces there are, and how many of them were looked at for maturity
        self._due: dict[int, tuple[int, int]] = {}
        if self._loaded is not None:
            self._parse(self._loaded)
        self.index: dict[Names, int] = {who: at for at, who in enumerate(self.names)}

    def _parse(self, data: bytes) -> None:
        held = orjson.loads(data)
        check_schema(held["schema"], SCHEMA, "a truth shard")
        self.names = [(model, version, role) for model, version, role in held["names"]]
        self.clock_ms = held["clock_ms"]
        self._due = {end_ms: (pieces, ripe) for end_ms, pieces, ripe in held["due"]}

    def name(self, who: Names) -> int:
        """Return the index of a (model, version, role), given out at its first use."""
        found = self.index.get(who)
        if found is None:
            found = self.index[who] = len(self.names)
            self.names.append(who)
        return found

    def remember(self, transaction_id: str, event_time_ms: int) -> None:
        """Note that the transaction has a record from now on, to be forgotten after its retention."""
        self._fresh.setdefault(event_time_ms // self._slice_ms, []).append(transaction_id)

    def see(self, record: OpenTransaction, event_time_ms: int) -> None:
        """Take the time of a record's first prediction: it is the record's from now on, and moves the shard's clock."""
        record.event_time_ms = event_time_ms
        if event_time_ms > self.clock_ms:
            self.clock_ms = event_time_ms

    def is_past(self, event_time_ms: int, watermark_ms: int) -> bool:
        """Whether the retention of a transaction of that event time is over, by watermark and own clock together."""
        return event_time_ms + self._retention_ms <= min(watermark_ms, self.clock_ms)

    def next_due_ms(self) -> int | None:
        """Return the time at which the next slice is mature or due, epoch milliseconds; None when the shard is empty."""
        times = [self._next_ms(end_ms, *counts) for end_ms, counts in self._due.items()]
        times += [self._next_ms((at + 1) * self._slice_ms, 1, 0) for at in self._fresh]
        return min(times, default=None)

    def _next_ms(self, end_ms: int, pieces: int, ripe: int) -> int:
        return end_ms + (self._maturity_ms if self._maturity_ms and ripe < pieces else self._retention_ms)

    def take_mature(self, now_ms: int) -> list[str] | None:
        """Return one piece whose labels are mature and that was not returned before; None when there is none."""
        if not self._maturity_ms:
            return None
        self._settle()
        for end_ms, (pieces, ripe) in self._due.items():
            if ripe < pieces and end_ms + self._maturity_ms <= now_ms:
                self._due[end_ms] = pieces, ripe + 1
                ids: list[str] = orjson.loads(self._state[_piece_key(end_ms, ripe)])
                return ids
        return None

    def take_due(self, now_ms: int) -> list[str] | None:
        """Take one piece of a slice whose retention is over: up to some hundred ids; None when nothing is due."""
        self._settle()
        if not self._due:
            return None
        end_ms = min(self._due)
        if end_ms + self._retention_ms > now_ms:
            return None
        pieces, ripe = self._due[end_ms]
        key = _piece_key(end_ms, pieces - 1)
        ids: list[str] = orjson.loads(self._state[key])
        del self._state[key]
        if pieces == 1:
            del self._due[end_ms]
        else:
            self._due[end_ms] = pieces - 1, min(ripe, pieces - 1)
        return ids

    def write(self) -> None:
        """Write what changed to the state."""
        self._settle()
        due = [(end_ms, *counts) for end_ms, counts in self._due.items()]
        data = orjson.dumps({"schema": SCHEMA, "clock_ms": self.clock_ms, "names": self.names, "due": due})
        if data != self._loaded:
            self._state[SHARD_KEY] = self._loaded = data

    def _settle(self) -> None:
        for at, ids in self._fresh.items():
            end_ms = (at + 1) * self._slice_ms
            pieces, ripe = self._due.get(end_ms, (0, 0))
            # a piece that was looked at for maturity takes no more ids: they would never be looked at
            last = self._state.get(_piece_key(end_ms, pieces - 1)) if pieces > ripe else None
            if last is not None and len(last) < PIECE_BYTES:
                self._state[_piece_key(end_ms, pieces - 1)] = last[:-1] + b"," + orjson.dumps(ids)[1:]
            else:
                self._state[_piece_key(end_ms, pieces)] = orjson.dumps(ids)
                self._due[end_ms] = pieces + 1, ripe
        self._fresh.clear()


def _piece_key(end_ms: int, piece: int) -> str:
    return f"\x00due/{end_ms}/{piece}"
