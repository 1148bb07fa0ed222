"""The queue of the notifier in PostgreSQL: alerts in once by ``alert_id``, one sender per alert at a time, sent or dead.

It is an idempotent queue, not a transactional outbox: alerts come from a topic, not from a transaction of this database,
and what keeps an alert from entering twice is its key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from connectors.postgres.errors import postgres_errors
from connectors.statement import statement

__all__ = ["ClaimedAlert", "NotificationQueue"]


@dataclass(frozen=True, slots=True)
class ClaimedAlert:
    """An alert that one sender holds until its lease ends.

    Parameters
    ----------
    alert_id
        The idempotency key.
    payload
        The alert as the topic had it.
    attempts
        How often it was claimed, this time included.
    """

    alert_id: str
    payload: dict[str, Any]
    attempts: int


class NotificationQueue:
    """One program's connection to the queue; it connects again by itself after a failure.

    Every method raises :class:`ConnectionLostError` when the database does not answer, and :class:`RegistryError` when it
    refuses. Each is one short transaction: no row is locked while a webhook is called.

    Parameters
    ----------
    dsn
        Address of the database ``weir`` for the role ``notifier``.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: psycopg.Connection | None = None

    def close(self) -> None:
        """Leave the database."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def places(self, topic: str) -> dict[int, int]:
        """Return the first offset by partition that has not been queued yet."""
        with self._transaction("read where the queue stands") as connection:
            return dict(connection.execute(_sql("places"), (topic,)).fetchall())

    def enqueue(self, alerts: Sequence[Mapping[str, Any]], topic: str, places: Mapping[int, int]) -> int:
        """Queue alerts that are not there yet, and note where the topic is read on, in one transaction.

        Parameters
        ----------
        alerts
            Values of the topic ``alerts``; a repeated one changes nothing.
        topic
            Where they come from.
        places
            The next offset by partition.

        Returns
        -------
        int
            How many were new.
        """
        new = 0
        with self._transaction("queue alerts") as connection:
            # In one order everywhere, so that two programs that queue the same alerts never wait for each other in a ring.
            for alert in sorted(alerts, key=lambda each: str(each["alert_id"])):
                row = (alert["alert_id"], alert["transaction_id"], Jsonb(alert))
                new += connection.execute(_sql("enqueue"), row).rowcount
            for partition in sorted(places):
                connection.execute(_sql("reached"), (topic, partition, places[partition]))
        return new

    def claim(self, lease_ms: int, daily_budget: int = 0) -> ClaimedAlert | None:
        """Take the alert that has been due longest, or None where nothing is due.

        Parameters
        ----------
        lease_ms
            After so long another sender may take it: longer than a call can last.
        daily_budget
            So many alerts are begun a day, in UTC; 0 for no limit. Repeated attempts are free.
        """
        with self._transaction("claim an alert") as connection:
            values = {"lease_ms": lease_ms, "begin_another": _may_begin(connection, daily_budget)}
            row = connection.execute(_sql("claim"), values).fetchone()
        return ClaimedAlert(*row) if row is not None else None

    def mark_sent(self, alert: ClaimedAlert) -> None:
        """Say that the receiver took it."""
        with self._transaction("mark an alert as sent") as connection:
            connection.execute(_sql("sent"), (alert.alert_id,))

    def mark_failed(self, alert: ClaimedAlert, error: str, wait_ms: int, *, dead: bool) -> bool:
        """Say that the call failed: it is due again after ``wait_ms``, or ``dead`` and never again.

        Returns
        -------
        bool
            False when another sender has taken it over meanwhile.
        """
        values = {
            "alert_id": alert.alert_id,
            "attempts": alert.attempts,
            "error": error[:1_000],
            "wait_ms": wait_ms,
            "dead": dead,
        }
        with self._transaction("mark an alert as failed") as connection:
            return connection.execute(_sql("failed"), values).rowcount == 1

    def unfinished(self, daily_budget: int = 0) -> int:
        """Return how many alerts will still be sent today, as things stand."""
        with self._transaction("count the queue") as connection:
            row = connection.execute(_sql("unfinished"), (_may_begin(connection, daily_budget),)).fetchone()
        return int(row[0]) if row is not None else 0

    def revive(self) -> int:
        """Put dead alerts into the queue again, as if never tried; return how many."""
        with self._transaction("queue dead alerts again") as connection:
            return connection.execute(_sql("revive")).rowcount

    def counts(self) -> dict[str, int]:
        """Return how many alerts are ``queued``, ``sending``, ``sent`` and ``dead``."""
        with self._transaction("count the queue") as connection:
            found = dict(connection.execute(_sql("counts")).fetchall())
        return {state: found.get(state, 0) for state in ("queued", "sending", "sent", "dead")}

    @contextmanager
    def _transaction(self, doing: str) -> Iterator[psycopg.Connection]:
        with postgres_errors(doing):
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(self._dsn)
            with self._connection.transaction():
                yield self._connection


def _may_begin(connection: psycopg.Connection, daily_budget: int) -> bool:
    """Tell whether the day has room for another alert; it has until the transaction ends."""
    if not daily_budget:
        return True
    connection.execute(_sql("one_at_a_time"))
    begun = connection.execute(_sql("begun_today")).fetchone()
    return begun is not None and int(begun[0]) < daily_budget


def _sql(name: str) -> bytes:
    # Bytes: psycopg types its SQL as literal text, and these are trusted files of this package.
    return statement(f"notification/{name}.sql").encode()
