"""Transactions as columns: what a reader or the generator makes, before they become the messages of the contract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Columns"]

CHUNK_ROWS = 8_192
"""Rows turned into Python objects at a time: enough to spread numpy's overhead, few enough to stay in the cache."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Transactions in columns of one length.

    Parameters
    ----------
    transaction_id, customer_id
        Integers or strings; both become strings in a message.
    event_time_ms
        int64, epoch milliseconds, UTC.
    amount
        float64.
    terminal_id
        Like the other identifiers, None inside for a row without one; None for a set without terminals.
    label
        0 or 1 for each row; None for a set without truth.
    fields
        Further numbers and strings of the message, by name.
    """

    transaction_id: npt.NDArray[Any]
    event_time_ms: npt.NDArray[np.int64]
    customer_id: npt.NDArray[Any]
    amount: npt.NDArray[np.float64]
    terminal_id: npt.NDArray[Any] | None = None
    label: npt.NDArray[np.int8] | None = None
    fields: dict[str, npt.NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.event_time_ms)

    def take(self, index: npt.NDArray[np.int64] | slice) -> Columns:
        """Return the rows of an index, or of a slice, in its order."""
        return replace(
            self,
            transaction_id=self.transaction_id[index],
            event_time_ms=self.event_time_ms[index],
            customer_id=self.customer_id[index],
            amount=self.amount[index],
            terminal_id=None if self.terminal_id is None else self.terminal_id[index],
            label=None if self.label is None else self.label[index],
            fields={name: values[index] for name, values in self.fields.items()},
        )

    def in_event_order(self) -> Columns:
        """Return the rows by (event time, identifier); integers compare as numbers."""
        return self.take(np.lexsort((self.transaction_id, self.event_time_ms)))

    def transactions(self) -> Iterator[dict[str, Any]]:
        """Yield each row as a message of the topic ``transactions``."""
        for rows in self._chunks():
            names = ["transaction_id", "event_time_ms", "customer_id", "amount"]
            lists = [rows.texts("transaction_id"), rows.event_time_ms.tolist()]
            lists += [rows.texts("customer_id"), rows.amount.tolist()]
            if rows.terminal_id is not None:
                names.append("terminal_id")
                lists.append(rows.texts("terminal_id"))
            names += rows.fields
            lists += [values.tolist() for values in rows.fields.values()]
            for row in zip(*lists, strict=True):
                yield dict(zip(names, row, strict=True))

    def truths(self, delay_ms: int) -> Iterator[dict[str, Any]]:
        """Yield each row as a message of the topic ``truths``, known ``delay_ms`` milliseconds after its event."""
        for rows in self._chunks():
            if rows.label is None:
                return
            names = ["transaction_id", "label", "revision", "truth_time_ms", "event_time_ms", "customer_id"]
            times = rows.event_time_ms.tolist()
            lists = [rows.texts("transaction_id"), rows.label.tolist(), [0] * len(times)]
            lists += [(rows.event_time_ms + delay_ms).tolist(), times, rows.texts("customer_id")]
            if rows.terminal_id is not None:
                names.append("terminal_id")
                lists.append(rows.texts("terminal_id"))
            for row in zip(*lists, strict=True):
                yield dict(zip(names, row, strict=True))

    def texts(self, name: str) -> list[str | None]:
        """Return an identifier's column as strings, None where a row has none."""
        values = getattr(self, name).tolist()
        return [None if value is None else str(value) for value in values]

    def _chunks(self) -> Iterator[Columns]:
        for start in range(0, len(self), CHUNK_ROWS):
            yield self.take(slice(start, start + CHUNK_ROWS))
