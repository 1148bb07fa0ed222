"""Writes and reads ``weir.retraining_decision``. Rows are only ever added; the database refuses anything else."""

from __future__ import annotations

from dataclasses import asdict, fields

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from connectors.postgres.errors import postgres_errors
from connectors.postgres.retraining_decision import RetrainingDecision

__all__ = ["RetrainingLog"]

_NAMES = [each.name for each in fields(RetrainingDecision)]
_COLUMNS = sql.SQL(", ").join(map(sql.Identifier, _NAMES))


class RetrainingLog:
    """The decisions of ``weir retrain``.

    Every method raises :class:`ConnectionLostError` when the database does not answer, and :class:`RegistryError` when
    it refuses what it was asked.

    Parameters
    ----------
    dsn
        Address of the database ``weir``, for its owner.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    def write(self, decision: RetrainingDecision) -> None:
        """Add a decision."""
        values = sql.SQL(", ").join(map(sql.Placeholder, _NAMES))
        query = sql.SQL("INSERT INTO weir.retraining_decision ({}) VALUES ({})").format(_COLUMNS, values)
        with postgres_errors("write down the decision"), psycopg.connect(self._dsn) as connection:
            connection.execute(query, asdict(decision))

    def decisions(self, model: str, limit: int = 1_000) -> list[RetrainingDecision]:
        """Return a model's decisions, the newest first."""
        query = sql.SQL(
            "SELECT {} FROM weir.retraining_decision WHERE model = %s ORDER BY decision_seq DESC LIMIT %s"
        ).format(_COLUMNS)
        with postgres_errors("read the decisions"), psycopg.connect(self._dsn) as connection:
            cursor = connection.cursor(row_factory=class_row(RetrainingDecision))
            return cursor.execute(query, (model, limit)).fetchall()
