"""One row of ``weir.model_activation`` as people and verbs see it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ActivationRecord"]


@dataclass(frozen=True, slots=True)
class ActivationRecord:
    """A role was given a version, or lost it.

    Parameters
    ----------
    deployment_seq
        Its number, in the order of commits.
    model, role, version, digest
        What was deployed where; the digest is the sha256 of the artifact.
    threshold
        Score from which on the champion raises alerts, or None.
    effective_from_ms
        Event time from which it counts when activation is by event time.
    retired
        Whether the role was given up.
    who, why
        As the tags of the version said.
    created_ms
        When the row was written.
    """

    deployment_seq: int
    model: str
    role: str
    version: str
    digest: str
    threshold: float | None
    effective_from_ms: int
    retired: bool
    who: str
    why: str
    created_ms: int
