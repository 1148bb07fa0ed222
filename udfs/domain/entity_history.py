"""What a window stage remembers of one customer or terminal: its transactions, and what was told about them.

One value of keyed state for a small entity, which most are. Beyond 512 transactions the value is a header, and chunks
lie beside it (``large_history.py``); both answer the same questions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from udfs.domain.fraud_intervals import known_as_fraud
from udfs.domain.truth_records import ToldTruth, TruthRecords

__all__ = ["NEVER", "EntityHistory"]

NEVER = -(1 << 62)


class EntityHistory(ABC):
    """The transactions of one entity in a time counted back from the greatest event time among them.

    Parameters
    ----------
    keep_ms
        How long a transaction is kept, milliseconds before the greatest event time of one.

    Attributes
    ----------
    greatest_ms
        Greatest event time of a transaction; -2**62 before the first. A truth never moves it, however far ahead of the
        transactions it comes: it would make their windows forget. (State written before that was so may hold the time of
        one that a truth told of.)
    amounts_since_ms
        Amounts of transactions before this time are not known (their state was written before amounts were kept).

    Notes
    -----
    What is older than what is kept is neither counted nor known as a duplicate, whether or not its bytes are already
    gone, so results do not depend on how events were batched. What was told about a transaction that is not here waits
    until the event time it names is older than what is kept.
    """

    __slots__ = ("_keep_ms", "_waiting", "amounts_since_ms", "greatest_ms")

    def __init__(self, keep_ms: int) -> None:
        self._keep_ms = keep_ms
        self._waiting = 0
        self.greatest_ms = self.amounts_since_ms = NEVER

    @property
    def horizon_ms(self) -> int:
        """The oldest time that is kept."""
        return self.greatest_ms - self._keep_ms

    @abstractmethod
    def encode(self) -> bytes:
        """Return the entity's value of keyed state, without what has expired."""

    @property
    @abstractmethod
    def size(self) -> int:
        """About how many bytes of state the entity has."""

    @property
    @abstractmethod
    def oldest_ms(self) -> int | None:
        """Time of the oldest transaction that is kept; None where there is none."""

    @abstractmethod
    def holds(self, digest: bytes) -> bool:
        """Say whether a transaction is known."""

    @abstractmethod
    def before(self, times_ms: Sequence[int], *, sums: bool) -> list[tuple[int, int]]:
        """Return for each time count and running sum of amounts of the transactions up to it, itself included.

        Only differences mean anything. Without ``sums`` the sums are not computed.
        """

    @abstractmethod
    def amounts(self, after_ms: int, to_ms: int) -> list[float]:
        """Return the amounts of the transactions in (after, to], in order of time."""

    @abstractmethod
    def newest_ms(self, to_ms: int, skip: int) -> int | None:
        """Return the time of the newest transaction up to a time, after skipping some; None where there is none."""

    @abstractmethod
    def frauds(self, after_ms: int, to_ms: int, known_at_ms: int) -> int:
        """Return how many transactions in (after, to] were frauds as known at a time."""

    def add(self, digest: bytes, time_ms: int, amount: int) -> bool:
        """Take in a transaction, behind those of the same millisecond, and the truths that came before it.

        One that is older than what is kept is not taken in; then the answer is False.
        """
        if time_ms > self.greatest_ms:
            self.greatest_ms = time_ms
            self._advanced()
        elif time_ms < self.greatest_ms - self._keep_ms:
            return False
        self._insert(digest, time_ms, amount)
        if self._waiting:
            waited = self._truths_of(digest, change=False).join(digest, time_ms, self.horizon_ms)
            if waited:
                self._truths_of(digest, change=True)
                self._waiting -= len(waited)
                self._change_frauds(digest, time_ms, [], known_as_fraud(waited))
        return True

    def add_truth(self, digest: bytes, time_ms: int, told: ToldTruth) -> None:
        """Take in a truth (time, revision, label) about a transaction, which may be here, come later, or never.

        ``time_ms`` is the event time the truth names: a hint where to look, and how long to wait for what is not here.
        """
        table = self._truths_of(digest, change=False)
        known = table.told(digest, self.horizon_ms)
        truths = [truth for _, truth in known]
        truth_time_ms, revision, label = told
        if any(r == revision and one == label and t <= truth_time_ms for t, r, one in truths):
            return
        # Where an identifier came twice, from two customers, its truths stay with the one they joined first.
        here = table.joined_ms([at for at, _ in known])
        if here is None:
            here = self._time_of(digest, time_ms)
        if here is None and time_ms < self.horizon_ms:
            return
        table = self._truths_of(digest, change=True)
        if here is None:
            self._waiting += 1
        else:
            self._change_frauds(digest, here, known_as_fraud(truths), known_as_fraud([*truths, told]))
        table.append(digest, time_ms if here is None else here, told, is_here=here is not None)

    @abstractmethod
    def waiting_truths(self) -> Iterator[tuple[bytes, int, ToldTruth]]:
        """Yield what was told of transactions that are not here: digest, event time it names, truth."""

    @abstractmethod
    def _advanced(self) -> None:
        """Do what has to be done when the greatest time has grown."""

    @abstractmethod
    def _insert(self, digest: bytes, time_ms: int, amount: int) -> None:
        """Take in a transaction that is kept."""

    @abstractmethod
    def _truths_of(self, digest: bytes, *, change: bool) -> TruthRecords:
        """Return the records that may tell of a transaction; ``change`` if they will be written."""

    @abstractmethod
    def _time_of(self, digest: bytes, time_ms: int) -> int | None:
        """Return the event time of a transaction that is here; ``time_ms`` is a hint."""

    @abstractmethod
    def _change_frauds(
        self, digest: bytes, time_ms: int, before: list[tuple[int, int]], after: list[tuple[int, int]]
    ) -> None:
        """Count a transaction as fraud in the intervals ``after``, no longer in those ``before``."""
