"""A receiver on a real port, and PostgreSQL as the registry's tests start it."""

from __future__ import annotations

from tests.unit.postgres.conftest import dsn, postgres

__all__ = ["dsn", "postgres"]
