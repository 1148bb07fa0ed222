"""Applies ``sql/postgres`` to the database: tables once each, rules at every start, and the roles others log in as."""

from __future__ import annotations

from importlib import resources

import psycopg
from psycopg import sql

from connectors.postgres.errors import postgres_errors
from connectors.postgres.role_password import role_password

__all__ = ["install_alias_trigger", "migrate"]

# Roles besides the owner: each may do only what its program needs.
ROLES = {"mlflow": "LOGIN", "debezium": "LOGIN REPLICATION", "notifier": "LOGIN", "iceberg": "LOGIN"}


def migrate(admin_dsn: str, dsn: str, password: str) -> None:
    """Create the database ``weir`` and bring it to this version's shape; does nothing twice.

    Parameters
    ----------
    admin_dsn
        The superuser's address of the database ``postgres``.
    dsn
        The superuser's address of the database ``weir``.
    password
        The owner's; those of the other roles are made from it (:func:`connectors.postgres.role_password.role_password`).

    Raises
    ------
    ConnectionLostError
        When the server does not answer or refuses the password.
    RegistryError
        When a statement fails.
    """
    with postgres_errors("prepare the registry's tables"):
        with psycopg.connect(admin_dsn, autocommit=True) as connection:
            if connection.execute("SELECT FROM pg_database WHERE datname = 'weir'").fetchone() is None:
                connection.execute("CREATE DATABASE weir")
        with psycopg.connect(dsn) as connection:
            connection.execute("SELECT pg_advisory_xact_lock(hashtext('weir.migration'))")
            _roles(connection, password)
            _tables(connection)


def install_alias_trigger(dsn: str) -> None:
    """Make setting an alias in MLflow a deployment; run after MLflow created its tables, and again at each start.

    Parameters
    ----------
    dsn
        The owner's address of the database ``weir``.

    Raises
    ------
    RegistryError
        When MLflow's tables are not there or are not those of the version this was written for.
    """
    with postgres_errors("install the alias trigger in MLflow's tables"), psycopg.connect(dsn) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('weir.migration'))")
        connection.execute(_script("mlflow_alias.sql"))


def _roles(connection: psycopg.Connection, password: str) -> None:
    for role, rights in ROLES.items():
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).fetchone() is None:
            connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
        connection.execute(
            sql.SQL("ALTER ROLE {} WITH {} PASSWORD {}").format(
                sql.Identifier(role), sql.SQL(rights), sql.Literal(role_password(password, role))
            )
        )


def _tables(connection: psycopg.Connection) -> None:
    connection.execute("CREATE SCHEMA IF NOT EXISTS weir")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS weir.migration (name text PRIMARY KEY, at timestamptz DEFAULT now())"
    )
    done = {row[0] for row in connection.execute("SELECT name FROM weir.migration")}
    for name in _names():
        if name.startswith("repeat_"):
            connection.execute(_script(name))
        elif name not in done:
            connection.execute(_script(name))
            connection.execute("INSERT INTO weir.migration (name) VALUES (%s)", (name,))


def _names() -> list[str]:
    """Numbered files first, in order; then those repeated at every start."""
    names = [entry.name for entry in resources.files("sql").joinpath("postgres").iterdir()]
    return sorted(name for name in names if name.endswith(".sql") and (name[0].isdigit() or name.startswith("repeat_")))


def _script(name: str) -> bytes:
    # Bytes: psycopg types its SQL as literal text, and these are trusted files of this package.
    return resources.files("sql").joinpath("postgres", name).read_bytes()
