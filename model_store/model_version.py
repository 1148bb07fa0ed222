"""One version of a registered model, as the registry knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["ModelVersion"]


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A version with what it was registered with.

    Parameters
    ----------
    model, version
        Its name in the registry.
    digest
        The sha256 of its artifact, hex; empty for a version that ``weir train`` did not write.
    threshold
        Score from which on the champion raises alerts, or None.
    algorithm, feature_set
        What was trained, on which features (``handbook@1``).
    roles
        The aliases that point to it in MLflow now.
    run_id
        The MLflow run that made it.
    created_ms
        When it was registered.
    metrics
        Figures of its training, by name.
    parent
        The version it went on from; empty for one trained from nothing.
    commit
        Of the code that trained it, with ``+changes`` where the work tree differed from it.
    data
        What it was trained on, in a few words.
    trained_until_ms
        Event time of the last transaction it learned from, 0 where that is not on record.
    note
        What of the above could not be read, in words; empty where nothing is wrong.
    """

    model: str
    version: str
    digest: str
    threshold: float | None
    algorithm: str
    feature_set: str
    roles: tuple[str, ...]
    run_id: str
    created_ms: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    parent: str = ""
    commit: str = ""
    data: str = ""
    trained_until_ms: int = 0
    note: str = ""
