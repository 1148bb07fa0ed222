"""Rows of the registry tables as Debezium carries them on ``weir.metadata``, parsed without trust."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson

__all__ = [
    "Activation",
    "ArtifactPart",
    "FeatureDefinition",
    "IgnoredRow",
    "MalformedRow",
    "MetadataRow",
    "parse_metadata",
]


REPLACEMENT_CHARACTER = "\ufffd"


@dataclass(frozen=True, slots=True)
class ArtifactPart:
    """One chunk of an artifact: a row of ``weir.model_artifact``, or of ``weir.artifact_again``, where it is sent once more.

    ``signature``: None where nobody signed. ``snapshot``: it comes in a snapshot of the tables, in no order of time.
    """

    digest: str
    part: int
    parts: int
    data: bytes
    signature: bytes | None = None
    snapshot: bool = False


@dataclass(frozen=True, slots=True)
class Activation:
    """A role is given a version, or loses it: a row of ``weir.model_activation``.

    ``forced``: it scores at once, also where the windows of its feature set are not full yet.
    """

    deployment_seq: int
    model: str
    role: str
    version: str
    digest: str
    threshold: float | None
    effective_from_ms: int
    retired: bool
    forced: bool = False

    def to_json(self) -> bytes:
        """Write the row as canonical JSON."""
        return orjson.dumps(asdict(self), option=orjson.OPT_SORT_KEYS)

    @classmethod
    def from_json(cls, data: bytes | str) -> Activation:
        """Read what :meth:`to_json` wrote."""
        return cls(**orjson.loads(data))


@dataclass(frozen=True, slots=True)
class FeatureDefinition:
    """A version of a feature set, or that it is retired: a row of ``weir.feature_definition``."""

    name: str
    version: int
    hash: str
    definition: dict[str, Any]

    @property
    def label(self) -> str:
        """Name and version; of a retirement the label of what is retired."""
        return self.name if self.retires else f"{self.name}@{self.version}"

    @property
    def retires(self) -> bool:
        """Whether the row says that a set is retired."""
        return bool(self.definition.get("retired"))

    def to_json(self) -> dict[str, Any]:
        """Return the row as it travels between stages, told from events by its ``kind``."""
        return {"kind": "feature_definition", **asdict(self)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> FeatureDefinition:
        """Read what :meth:`to_json` returned."""
        return cls(value["name"], value["version"], value["hash"], value["definition"])


@dataclass(frozen=True, slots=True)
class IgnoredRow:
    """A tombstone, a delete, a heartbeat or a table that is not the gate's business."""

    why: str


@dataclass(frozen=True, slots=True)
class MalformedRow:
    """A record that is none of ours; it becomes a dead letter."""

    reason: str
    detail: str


MetadataRow = ArtifactPart | Activation | FeatureDefinition | IgnoredRow | MalformedRow


def parse_metadata(value: str | None) -> MetadataRow:
    """Read one record of ``weir.metadata``: a Debezium envelope without schema, ``bytea`` as base64.

    Updates count as inserts, so that a re-snapshot (``op`` r) and a stream (``op`` c) give the same rows; deletes and
    tombstones never move a deployment.

    Examples
    --------
    >>> parse_metadata(None)
    IgnoredRow(why='tombstone')
    >>> parse_metadata("{")
    MalformedRow(reason='not_json', detail='unexpected end of data: line 1 column 2 (char 1)')
    """
    if value is None:
        return IgnoredRow("tombstone")
    if REPLACEMENT_CHARACTER in value:
        # Flink's raw format decodes leniently; a name that is not what was written must not deploy anything.
        return MalformedRow("bad_utf8", "the value is not valid UTF-8")
    try:
        envelope = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        return MalformedRow("not_json", str(error))
    if not isinstance(envelope, dict):
        return MalformedRow("not_an_object", f"got {type(envelope).__name__}")
    source, row = envelope.get("source"), envelope.get("after")
    table = source.get("table") if isinstance(source, dict) else None
    if envelope.get("op") == "d" or (row is None and table is not None):
        return IgnoredRow("delete")
    if table not in _PARSERS:
        return (
            IgnoredRow(f"table {table!s:.80}")
            if "op" in envelope
            else MalformedRow("not_an_envelope", "no op, no source")
        )
    if not isinstance(row, dict):
        return MalformedRow("not_an_envelope", f"after is {type(row).__name__}")
    try:
        parsed = _PARSERS[table](row)
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        return MalformedRow("wrong_row", f"{table}: {type(error).__name__} {error}")
    return replace(parsed, snapshot=True) if isinstance(parsed, ArtifactPart) and envelope.get("op") == "r" else parsed


def _artifact_part(row: dict[str, Any]) -> ArtifactPart:
    digest, part, parts = _text(row, "digest"), _integer(row, "part"), _integer(row, "parts")
    data = base64.b64decode(_text(row, "bytes"), validate=True)
    if not 0 <= part < parts <= 64:
        msg = f"part {part} of {parts}"
        raise ValueError(msg)
    signature = None if row.get("signature") is None else base64.b64decode(_text(row, "signature"), validate=True)
    return ArtifactPart(digest, part, parts, data, signature)


def _activation(row: dict[str, Any]) -> Activation:
    threshold = row.get("threshold")
    if threshold is not None and (isinstance(threshold, bool) or not math.isfinite(float(threshold))):
        msg = f"threshold {threshold!r}"
        raise ValueError(msg)
    return Activation(
        deployment_seq=_integer(row, "deployment_seq"),
        model=_text(row, "model"),
        role=_text(row, "role"),
        version=_text(row, "version"),
        digest=_text(row, "digest"),
        threshold=None if threshold is None else float(threshold),
        effective_from_ms=_integer(row, "effective_from_ms") if row.get("effective_from_ms") is not None else 0,
        retired=bool(row.get("retired", False)),
        forced=bool(row.get("forced", False)),
    )


def _feature_definition(row: dict[str, Any]) -> FeatureDefinition:
    definition = row["definition"]
    if isinstance(definition, str):  # Debezium writes jsonb as text
        definition = orjson.loads(definition)
    if not isinstance(definition, dict):
        msg = f"definition is {type(definition).__name__}"
        raise TypeError(msg)
    return FeatureDefinition(_text(row, "name"), _integer(row, "version"), _text(row, "hash"), definition)


def _text(row: dict[str, Any], name: str) -> str:
    value = row[name]
    if isinstance(value, bool) or not isinstance(value, str | int):
        msg = f"{name} is {type(value).__name__}"
        raise TypeError(msg)
    return str(value)


def _integer(row: dict[str, Any], name: str) -> int:
    value = row[name]
    if isinstance(value, bool) or not isinstance(value, int):
        msg = f"{name} is {type(value).__name__}"
        raise TypeError(msg)
    return value


_PARSERS: dict[str, Callable[[dict[str, Any]], ArtifactPart | Activation | FeatureDefinition]] = {
    "feature_definition": _feature_definition,
    "artifact_again": _artifact_part,
    "model_artifact": _artifact_part,
    "model_activation": _activation,
}
