"""Everything the registry keeps of a training run, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["TrainingRecord"]

SCHEMA = 1
"""Of ``training.json``; a record of another schema is not guessed at."""


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """What was trained, from what, by which code, and how well it did.

    Parameters
    ----------
    artifact
        The compressed artifact; its bytes are what will score.
    digest
        The sha256 of the artifact, hex.
    algorithm
        ``half-space-trees`` or ``logistic-regression``.
    feature_set
        Label of the feature set, ``handbook@1``.
    threshold
        Suggested score from which on the champion raises alerts, or None.
    trained_until_ms
        Event time of the last transaction learned from.
    parameters
        Hyperparameters and the seed.
    metrics
        Figures by name; NaN and infinities are left out.
    data
        Where the events are from: a file's sha256 and rows, the generator's parameters, or tables and their snapshots.
    code
        Commit and whether the work tree was dirty.
    libraries
        Versions of what made the model.
    source
        A zip of the source that trained it.
    parent
        ``version`` and ``digest`` of the version it went on from; None for one trained from nothing.
    feature_definition
        What the feature set is, as a row of ``feature_definition`` says it: name, version, definition.
    data_path
        Where the data file lay; a hint for finding it, its sha256 in ``data`` says whether it is the one.
    """

    artifact: bytes
    digest: str
    algorithm: str
    feature_set: str
    threshold: float | None
    trained_until_ms: int
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float]
    data: Mapping[str, Any]
    code: Mapping[str, Any]
    libraries: Mapping[str, str]
    source: bytes
    parent: Mapping[str, str] | None = None
    data_path: str | None = None
    feature_definition: Mapping[str, Any] | None = None

    def described(self) -> dict[str, Any]:
        """Return what ``training.json`` holds: all that ``weir reproduce`` needs, but for code, data and parent."""
        return {
            "schema": SCHEMA,
            "digest": self.digest,
            "algorithm": self.algorithm,
            "feature_set": self.feature_set,
            "feature_definition": None if self.feature_definition is None else dict(self.feature_definition),
            "threshold": self.threshold,
            "trained_until_ms": self.trained_until_ms,
            "parent": None if self.parent is None else dict(self.parent),
            "data": dict(self.data),
            "data_path": self.data_path,
            "code": dict(self.code),
            "libraries": dict(self.libraries),
            "parameters": dict(self.parameters),
            "metrics": dict(self.metrics),
        }
