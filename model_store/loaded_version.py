"""An artifact that is ready to score, bound to the digest of the very bytes it was built from."""

from __future__ import annotations

from typing import NamedTuple

from model_store.artifact import digest
from model_store.compiled_scorer import load_scorer
from model_store.scorer import Scorer

__all__ = ["LoadedVersion"]


class LoadedVersion(NamedTuple):
    """What scores, and what it was made of.

    Parameters
    ----------
    digest
        sha256 of the bytes, computed when they were loaded: an inference names this, never a look-up elsewhere.
    scorer
        Built from the same bytes.
    """

    digest: str
    scorer: Scorer

    @classmethod
    def load(cls, data: bytes) -> LoadedVersion:
        """Build the scorer of an artifact; raises :class:`udfs.domain.errors.ArtifactError` if it cannot be read."""
        return cls(digest(data), load_scorer(data))
