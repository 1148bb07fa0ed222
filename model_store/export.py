"""Writes a trained River model as an artifact."""

from __future__ import annotations

import platform
import zlib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, Protocol

import numpy as np

from model_store.artifact import Artifact
from model_store.cost import cost_us
from model_store.probes import MIN_PROBES, generate_probes, probe_matrix, probe_texts
from model_store.reason import Reason
from model_store.river_model import decode_model, encode_model
from model_store.river_parts import RiverModel
from model_store.river_score import river_score
from udfs.domain.errors import ArtifactError

__all__ = ["FeatureSetLike", "export_artifact"]

PROBES = 48


class FeatureSetLike(Protocol):
    """What an artifact records of :class:`udfs.domain.feature_set.FeatureSet`."""

    @property
    def label(self) -> str:
        """Name and version: ``handbook@1``."""
        ...

    @property
    def hash(self) -> str:
        """The sha256 of its definition."""
        ...

    @property
    def features(self) -> tuple[str, ...]:
        """The names in order."""
        ...


def export_artifact(
    model: RiverModel,
    feature_set: FeatureSetLike,
    *,
    seed: int | None = None,
    trained_until_ms: int = 0,
    parent: str | None = None,
    probes: Sequence[Mapping[str, Any]] | None = None,
    training: Mapping[str, Any] | None = None,
    recorded_cost_us: float | None = None,
) -> bytes:
    """Return the artifact of a model: its whole learning state, its probes and where it came from.

    The same model and arguments give the same bytes. The model is read, never changed.

    Parameters
    ----------
    model
        A River model or pipeline, see :mod:`model_store.river_model`.
    feature_set
        The features it takes; a :class:`udfs.domain.feature_set.FeatureSet`. Where it has ``strings``, those are strings.
    seed
        The seed of the training run, for the record. None when there was none.
    trained_until_ms
        Event time (epoch ms) up to which data trained it, 0 for none. Transactions up to it do not count in the
        version's ROC AUC.
    parent
        Digest of the artifact that training went on from, None for a first version.
    probes
        Vectors to record scores of, real ones for choice. Fewer than 48 are filled up with generated ones.
    training
        What the training run wants on record: data, hyperparameters, commit. JSON-able, without clock or host.
    recorded_cost_us
        Microseconds per score to put on record; by default computed from the model's size, see
        :mod:`model_store.cost`.

    Raises
    ------
    ArtifactError
        ``unsupported_model`` (no form as data for a part of it), ``not_finite`` (a weight or a probe's score is NaN or
        infinite), ``oversized``, ``malformed`` (``training`` is not JSON-able).

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from river import linear_model, preprocessing
    >>> model = preprocessing.StandardScaler() | linear_model.LogisticRegression()
    >>> for amount, fraud in [(10.0, False), (900.0, True), (20.0, False)]:
    ...     model.learn_one({"amount": amount}, fraud)
    >>> data = export_artifact(model, SimpleNamespace(label="demo@1", hash="00", features=("amount",)))
    >>> Artifact.decode(data).header["kind"]
    'linear'
    """
    features, strings = tuple(feature_set.features), tuple(getattr(feature_set, "strings", ()))
    kind, described, arrays = encode_model(model, features, strings)
    header: dict[str, Any] = {
        "kind": kind,
        "feature_set": {"label": feature_set.label, "hash": feature_set.hash, "features": list(features)},
        "model": described,
        "seed": seed,
        "trained_until_ms": int(trained_until_ms),
        "parent": parent,
        "training": dict(training or {}),
        "libraries": libraries(),
        "platform": {"machine": platform.machine(), "system": platform.system()},
        "cost_us": cost_us(features, described["steps"]) if recorded_cost_us is None else float(recorded_cost_us),
    }
    vectors: list[Mapping[str, Any]] = list(probes or [])
    missing = max(0, PROBES - len(vectors))
    vectors += generate_probes(features, described["steps"], arrays, count=missing, seed=MIN_PROBES, strings=strings)
    texts = probe_texts(vectors, strings)
    if strings:
        header["feature_set"]["strings"] = list(strings)
        header["probe_texts"] = texts
    reference = decode_model(Artifact(header, arrays))
    scores = np.array([river_score(reference, vector, features) for vector in vectors], dtype="<f8")
    if not np.isfinite(scores).all():
        raise ArtifactError(Reason.NOT_FINITE, "the model scores a probe as NaN or infinity; train it further")
    arrays |= {"probes.vectors": probe_matrix(vectors, features, texts), "probes.scores": scores}
    return Artifact(header, arrays).encode()


def libraries() -> dict[str, str]:
    """Return the versions that decide the bits of a score or of an artifact."""
    return {
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "river": version("river"),
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
    }
