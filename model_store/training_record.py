"""Everything the registry keeps of a training run, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["TrainingRecord"]


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
        Where the events are from: a file's sha256 and rows, or the generator's parameters.
    code
        Commit and whether the work tree was dirty.
    libraries
        Versions of what made the model.
    source
        A zip of the source that trained it.
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
