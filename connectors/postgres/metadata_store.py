"""Reads and writes the registry's tables: artifacts, activations, feature definitions.

Every row is a statement and a transaction of its own: Debezium may lose rows of one multi-row insert when it restarts
in mid-transaction. Rows are never changed; the database refuses it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from connectors.postgres.activation_record import ActivationRecord
from connectors.postgres.errors import postgres_errors
from model_store.artifact import MAX_BYTES, ROW_BYTES
from udfs.domain.errors import RegistryError

__all__ = ["MetadataStore"]

_COLUMNS = "deployment_seq, model, role, version, digest, threshold, effective_from_ms, retired, who, why, created_ms"


class MetadataStore:
    """The registry's tables in PostgreSQL.

    Every method raises :class:`ConnectionLostError` when the database does not answer, and :class:`RegistryError` when
    it refuses what it was asked.

    Parameters
    ----------
    dsn
        Address of the database ``weir``, for its owner.
    sign
        Makes the signature of a digest for the artifacts that are written; None writes them without.
    """

    def __init__(self, dsn: str, sign: Callable[[str], bytes] | None = None) -> None:
        self._dsn, self._sign = dsn, sign

    def insert_artifact(self, data: bytes) -> str:
        """Write an artifact, in parts of 512 KiB; one that is there already is left alone.

        Parameters
        ----------
        data
            The compressed artifact.

        Returns
        -------
        str
            Its digest: the sha256 of the bytes, hex.

        Raises
        ------
        RegistryError
            When it is empty or larger than 4 MiB.
        """
        if not 0 < len(data) <= MAX_BYTES:
            msg = f"An artifact has between 1 and {MAX_BYTES} bytes, this one has {len(data)}. Train a smaller model."
            raise RegistryError(msg)
        digest = hashlib.sha256(data).hexdigest()
        signature = None if self._sign is None else self._sign(digest)
        chunks = [data[start : start + ROW_BYTES] for start in range(0, len(data), ROW_BYTES)]
        with self._connection("write the artifact") as connection:
            for part, chunk in enumerate(chunks):
                connection.execute(
                    "INSERT INTO weir.model_artifact (digest, part, parts, bytes, signature) VALUES (%s, %s, %s, %s, %s)"
                    " ON CONFLICT (digest, part) DO NOTHING",
                    (digest, part, len(chunks), chunk, signature),
                )
        return digest

    def load_artifact(self, digest: str) -> bytes:
        """Return an artifact's bytes, checked against its digest.

        Raises
        ------
        RegistryError
            When it is not there, not whole, or not what its digest says.
        """
        with self._connection("read the artifact") as connection:
            query = "SELECT parts, bytes FROM weir.model_artifact WHERE digest = %s ORDER BY part"
            rows = connection.execute(query, (digest,), binary=True).fetchall()
        if not rows or len(rows) != rows[0][0]:
            have = f"{len(rows)} of {rows[0][0]} parts are" if rows else "no part is"
            msg = f"The registry has no whole artifact {digest}: {have} in weir.model_artifact. Train it again."
            raise RegistryError(msg)
        data = b"".join(chunk for _, chunk in rows)
        if (got := hashlib.sha256(data).hexdigest()) != digest:
            msg = f"The artifact stored as {digest} has the digest {got}; do not use it. Train the version again."
            raise RegistryError(msg)
        return data

    def last_deployment_seq(self) -> int:
        """Return the greatest number of an activation, 0 where there is none."""
        with self._connection("read the last activation") as connection:
            row = connection.execute("SELECT coalesce(max(deployment_seq), 0) FROM weir.model_activation").fetchone()
        return int(row[0]) if row else 0

    def deployments(self, model: str | None = None) -> list[ActivationRecord]:
        """Return the newest activation of each role, retired ones too, by model and role; of one model or of all."""
        return self._activations("weir.model_deployment", model, "model, role", None)

    def history(self, model: str | None = None, limit: int = 1_000) -> list[ActivationRecord]:
        """Return activations, the newest first; of one model or of all, at most ``limit``."""
        return self._activations("weir.model_activation", model, "deployment_seq DESC", limit)

    def activate(
        self,
        model: str,
        version: str,
        digest: str,
        *,
        role: str = "champion",
        threshold: float | None = None,
        effective_from_ms: int = 0,
        retired: bool = False,
        forced: bool = False,
        who: str = "",
        why: str = "",
    ) -> int:
        """Write an activation as a row, past MLflow (tests, repairs); the usual way is to set an alias in MLflow.

        Returns
        -------
        int
            Its deployment_seq, given by the database in the order of commits.

        Raises
        ------
        RegistryError
            When the artifact is not there whole, or the champion is to be retired.
        """
        with self._connection(f"deploy {model} version {version} as {role}") as connection:
            row = connection.execute(
                "INSERT INTO weir.model_activation"
                " (model, role, version, digest, threshold, effective_from_ms, retired, forced, who, why)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING deployment_seq",
                (model, role, version, digest, threshold, effective_from_ms, retired, forced, who, why),
            ).fetchone()
        assert row is not None
        return int(row[0])

    def define_features(self, name: str, version: int, definition_hash: str, definition: dict[str, Any]) -> None:
        """Record what a version of a feature set is; the same again does nothing.

        Raises
        ------
        RegistryError
            When that version is recorded with another hash: a changed meaning needs a new version.
        """
        with self._connection(f"record the feature set {name}@{version}") as connection:
            connection.execute(
                "INSERT INTO weir.feature_definition (name, version, hash, definition) VALUES (%s, %s, %s, %s)"
                " ON CONFLICT (name, version) DO NOTHING",
                (name, version, definition_hash, Jsonb(definition)),
            )
            query = "SELECT hash FROM weir.feature_definition WHERE name = %s AND version = %s"
            row = connection.execute(query, (name, version)).fetchone()
        if row is None or row[0] != definition_hash:
            msg = f"The feature set {name}@{version} is recorded with another definition. Give this one a new version."
            raise RegistryError(msg)

    def feature_rows(self) -> list[tuple[str, int, dict[str, Any], int]]:
        """Return name, version, definition and time (epoch milliseconds) of every recorded feature set, retired ones too."""
        query = "SELECT name, version, definition, created_ms FROM weir.feature_definition ORDER BY created_ms, version"
        with self._connection("read the feature sets") as connection:
            return [tuple(row) for row in connection.execute(query).fetchall()]

    def retire_features(self, name: str, version: int) -> None:
        """Write that a feature set is retired, as a row of its own (``NAME@VERSION``); the same again does nothing.

        Raises
        ------
        RegistryError
            When a version that plays a role needs the set: the database refuses it.
        """
        definition = {"retired": True}
        content = hashlib.sha256(f"{name}@{version} retired".encode()).hexdigest()
        with self._connection(f"retire the feature set {name}@{version}") as connection:
            connection.execute(
                "INSERT INTO weir.feature_definition (name, version, hash, definition) VALUES (%s, %s, %s, %s)"
                " ON CONFLICT (name, version) DO NOTHING",
                (f"{name}@{version}", 1, content, Jsonb(definition)),
            )

    def _activations(self, table: str, model: str | None, order: str, limit: int | None) -> list[ActivationRecord]:
        # The three texts are constants of this class, never a caller's.
        query = f"SELECT {_COLUMNS} FROM {table} WHERE model = coalesce(%s, model) ORDER BY {order} LIMIT %s"  # noqa: S608
        with self._connection("read the deployments") as connection:
            cursor = connection.cursor(row_factory=class_row(ActivationRecord))
            return cursor.execute(query, (model, limit)).fetchall()

    @contextmanager
    def _connection(self, doing: str) -> Iterator[psycopg.Connection]:
        with postgres_errors(doing), psycopg.connect(self._dsn, autocommit=True) as connection:
            yield connection
