"""Makes a version that must not score: whole bytes, the right digest, but not the model whose scores were recorded."""

from __future__ import annotations

import numpy as np

from connectors.postgres.metadata_store import MetadataStore
from model_store.artifact import Artifact
from udfs.domain.deployment import CHAMPION

__all__ = ["POISONED_VERSION", "deploy_poison", "poisoned"]

POISONED_VERSION = "poisoned"
STEPS = ("1.", "0.")
"""Prefixes of a pipeline's arrays, the model before the scaler."""


def poisoned(artifact: bytes) -> bytes:
    """Return an artifact with the numbers of its model in the wrong order; probes and their scores stay.

    Nothing but scoring the probes can find it: the format is right and the digest is that of these very bytes.

    Parameters
    ----------
    artifact
        A good version's bytes.

    Raises
    ------
    ArtifactError
        If the bytes are no artifact.
    """
    good = Artifact.decode(artifact)
    learned = {
        name: array
        for name, array in good.arrays.items()
        if not name.startswith("probes.") and array.dtype == np.float64 and array.size
    }
    step = next(step for step in STEPS if any(name.startswith(step) for name in learned))
    turned = {name: np.ascontiguousarray(array[::-1]) for name, array in learned.items() if name.startswith(step)}
    return Artifact(good.header, {**good.arrays, **turned}).encode()


def deploy_poison(store: MetadataStore, model: str, artifact: bytes) -> str:
    """Write a poisoned version and make it champion by a row, past ``weir promote``; return its digest.

    Parameters
    ----------
    store
        The registry's tables.
    model
        The registered model.
    artifact
        The bytes of a good version to spoil.
    """
    digest = store.insert_artifact(poisoned(artifact))
    store.activate(model, POISONED_VERSION, digest, role=CHAMPION, who="weir demo", why="to show that it is refused")
    return digest
