"""A version as its training run recorded it, and whether that record fits itself.

The artifact's digest covers its header, and the header says how it was trained: what a record says otherwise is tampered
with, and is named before anything is trained.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from jobs.bundle import build_id_of
from jobs.training.table_rows import TABLES
from jobs.training.version_records import VersionRecords
from model_store.artifact import Artifact
from model_store.export import libraries
from model_store.registry import ARTIFACT_PATH, RECORD_PATH, SOURCE_PATH
from model_store.training_record import SCHEMA
from udfs.domain.errors import ArtifactError, RegistryError, SettingsError
from udfs.domain.feature_catalog import CODE_LABELS
from udfs.domain.feature_set import FeatureSet

__all__ = ["RecordedVersion"]


@dataclass(frozen=True, slots=True)
class RecordedVersion:
    """What the registry holds of a version.

    Parameters
    ----------
    model, version, digest
        As the registry names it.
    record
        What ``training.json`` holds.
    artifact, source
        The artifact's bytes, and the bundle of the code that trained it.
    """

    model: str
    version: str
    digest: str
    record: dict[str, Any]
    artifact: bytes
    source: bytes

    @staticmethod
    def load(registry: VersionRecords, model: str, version: str) -> RecordedVersion:
        """Read a version's record.

        Raises
        ------
        RegistryError, ConnectionLostError
            If it is not there, is not of ``weir train``, or the registry does not answer.
        """
        found = registry.version(model, version)
        if not found.digest:
            msg = f"{model} version {version} has no digest: it was not made by weir train and cannot be reproduced."
            raise RegistryError(msg)
        try:
            record = orjson.loads(registry.load_file(found.run_id, RECORD_PATH))
        except orjson.JSONDecodeError:
            record = None
        if not isinstance(record, dict) or record.get("schema") != SCHEMA:
            msg = (
                f"The record of {model} version {version} is not one this code reads ({RECORD_PATH} of its run needs "
                f"schema {SCHEMA}); train it again."
            )
            raise RegistryError(msg)
        artifact, source = (registry.load_file(found.run_id, path) for path in (ARTIFACT_PATH, SOURCE_PATH))
        return RecordedVersion(model, version, found.digest, record, artifact, source)

    @property
    def rows(self) -> int:
        """How many transactions it learned from."""
        rows = self._part("data").get("rows")
        return rows if isinstance(rows, int) else 0

    @property
    def parent_version(self) -> str | None:
        """The version it went on from."""
        return self._part("parent").get("version")

    @property
    def parent_digest(self) -> str | None:
        """The artifact it went on from."""
        return self._part("parent").get("digest")

    @property
    def tables(self) -> dict[str, Any] | None:
        """Which rows of the tables it learned from, as recorded; None for a version trained from elsewhere."""
        data = self._part("data")
        return data if data.get("source") == TABLES else None

    @property
    def features(self) -> tuple[str, ...]:
        """Names of its features, as the artifact says."""
        return tuple(Artifact.decode(self.artifact).header["feature_set"]["features"])

    def fault(self) -> str | None:
        """Return what does not fit in this record, in a sentence; None when all of it does."""
        name = f"version {self.version} of {self.model}"
        if (found := hashlib.sha256(self.artifact).hexdigest()) != self.digest:
            return f"The artifact of {name} was changed: its sha256 is {found}, on record is {self.digest}."
        try:
            header = Artifact.decode(self.artifact).header
        except ArtifactError as error:
            return f"The artifact of {name} cannot be read: {error}."
        for what, recorded, made in self._said_twice(header):
            if recorded != made:
                return f"The record of {name} was changed: {what} is {recorded!r}, the artifact says {made!r}."
        try:
            build_id = build_id_of(self.source)
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            return f"The recorded code of {name} cannot be read: {error}."
        if build_id != self._part("code").get("build_id"):
            return f"The recorded code of {name} was changed: it is build {build_id}, the record names another."
        return None

    def data_file(self, candidates: Sequence[Path]) -> tuple[Path | None, str | None]:
        """Return the file with the recorded sha256, or what is wrong with those there are; generated data has none.

        Raises
        ------
        SettingsError
            If there is no file to look at.
        """
        data = self._part("data")
        if data.get("source") != "file":
            return None, None
        recorded = self.record.get("data_path")
        paths = [*candidates, *([Path(recorded)] if isinstance(recorded, str) else [])]
        seen = [(path, _sha256(path)) for path in dict.fromkeys(paths) if path.is_file()]
        for path, sha256 in seen:
            if sha256 == data.get("sha256"):
                return path, None
        if not seen:
            msg = f"The data of version {self.version} is not at {recorded}; say where it is: --data FILE."
            raise SettingsError(msg)
        path, sha256 = seen[-1]
        return None, f"The data was changed: {path} has sha256 {sha256}, on record is {data.get('sha256')}."

    def check_libraries(self) -> None:
        """Raise :class:`SettingsError` where this machine's libraries are others than those on record."""
        here = libraries()
        other = [f"{name} {version} (here {here.get(name)})" for name, version in self._part("libraries").items()
                 if here.get(name) != version]  # fmt: skip
        if other:
            msg = f"Version {self.version} was trained with {', '.join(other)}; install those to reproduce it."
            raise SettingsError(msg)

    def _said_twice(self, header: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
        """Yield what the record and the artifact both say."""
        training = header["training"]
        yield "digest", self.record.get("digest"), self.digest
        yield "algorithm", self.record.get("algorithm"), training.get("algorithm")
        yield "feature_set", self.record.get("feature_set"), header["feature_set"]["label"]
        yield "parent", self.parent_digest, header["parent"]
        yield "trained_until_ms", self.record.get("trained_until_ms"), header["trained_until_ms"]
        if (defined := self._part("feature_definition")) or header["feature_set"]["label"] not in CODE_LABELS:
            yield "the hash of feature_definition", _hash(defined), header["feature_set"]["hash"]
        for part, made in (
            ("parameters", training.get("parameters")),
            ("data", training.get("data")),
            ("libraries", header["libraries"]),
        ):
            recorded = self._part(part)
            for key in sorted({*recorded, *made}):
                yield f"{part}.{key}", recorded.get(key), made.get(key)

    def _part(self, name: str) -> dict[str, Any]:
        part = self.record.get(name)
        return part if isinstance(part, dict) else {}


def _hash(defined: Mapping[str, Any]) -> str | None:
    """Return the hash of a feature set as it is recorded; None where the record defines none."""
    try:
        return FeatureSet.of_row(defined["name"], defined["version"], defined["definition"]).hash
    except (KeyError, SettingsError):
        return None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
