"""Builds River's own object from an artifact: the reference that every compiled score is compared with."""

from __future__ import annotations

from model_store.artifact import Artifact
from model_store.river_model import decode_model
from model_store.river_parts import RiverModel

__all__ = ["rebuild"]


def rebuild(data: bytes) -> RiverModel:
    """Return a River model that scores and learns exactly as the one that was exported.

    Score it with :func:`model_store.river_score.river_score`, which lays features out in the feature set's order.

    Parameters
    ----------
    data
        An artifact's bytes.

    Raises
    ------
    ArtifactError
        The reasons of :meth:`model_store.artifact.Artifact.decode`, ``unknown_kind``, ``malformed``, ``not_finite``.
    """
    return decode_model(Artifact.decode(data))
