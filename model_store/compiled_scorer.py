"""Loads an artifact into a scorer whose results have River's bits, at a small part of River's time.

Used by the Flink job, the API and ``weir verify --fast``. It reads no clock, starts no thread, and keeps no history; a
scorer never changes after loading.
"""

from __future__ import annotations

import ctypes
import itertools
import operator
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from river import utils

from model_store.artifact import Artifact, digest
from model_store.contributions import Contributions
from model_store.encoded_scorer import EncodedScorer
from model_store.encoder_state import UNION
from model_store.kernels import kernels
from model_store.plan import Plan
from model_store.reason import Reason
from model_store.river_model import MISFITS
from model_store.scorer import Scorer
from udfs.domain.errors import ArtifactError

__all__ = ["LOADERS", "CompiledScorer", "load_scorer", "warm_up"]

_MISSING = float("nan")


def warm_up() -> None:
    """Compile all kernels (1 to 2 s without numba's cache); later calls return at once. Call it in ``open``."""
    kernels()


def load_scorer(data: bytes) -> Scorer:
    """Return the scorer of an artifact. Runs no code of the artifact's; a swap compiles nothing.

    Parameters
    ----------
    data
        An artifact's bytes. They are not judged here: :func:`model_store.admission.admit` does that.

    Raises
    ------
    ArtifactError
        The reasons of :meth:`model_store.artifact.Artifact.decode`, ``unknown_kind``, ``malformed``, ``not_finite``.
    """
    return scorer_of(Artifact.decode(data), digest(data))


def scorer_of(artifact: Artifact, artifact_digest: str) -> Scorer:
    """Return the scorer of a decoded artifact and its digest; raises as :func:`load_scorer`."""
    kind = artifact.header.get("kind")
    loader = LOADERS.get(kind) if isinstance(kind, str) else None
    if loader is None:
        raise ArtifactError(Reason.UNKNOWN_KIND, f"kind {kind!r:.60}; this code loads {', '.join(LOADERS)}")
    return loader(artifact, artifact_digest)


class CompiledScorer:
    """Half-space trees or a linear model behind compiled loops.

    Parameters
    ----------
    artifact
        A decoded artifact.
    artifact_digest
        The sha256 of the bytes it was decoded from.

    Raises
    ------
    ArtifactError
        ``unknown_kind``, ``malformed`` or ``not_finite``.
    """

    def __init__(self, artifact: Artifact, artifact_digest: str) -> None:
        try:
            self._plan = Plan(artifact)
        except MISFITS as error:
            detail = f"the model does not fit its description: {error!r:.200}"
            raise ArtifactError(Reason.MALFORMED, detail) from error
        compiled = kernels()
        trees = self._plan.kind == "half_space_trees"
        self._batch = compiled.score_trees if trees else compiled.score_linear
        self._row = compiled.score_tree_row if trees else compiled.score_linear_row
        self._python_sigmoid = self._plan.sigmoid and not compiled.exp_is_pythons
        if self._python_sigmoid:
            self._plan.leave_sigmoid_to_python()
        self._artifact = artifact
        self._contributions: Contributions | None = None
        self._digest = artifact_digest
        self._plan_address = self._plan.address
        self._pick = _picker(self._plan.features)
        self._layout = struct.Struct(f"{len(self._plan.features)}d")
        self._buffer = bytearray(self._layout.size)
        self._buffer_address = ctypes.addressof(ctypes.c_char.from_buffer(self._buffer))
        self._lock = threading.Lock()

    @property
    def kind(self) -> str:
        """``half_space_trees`` or ``linear``."""
        return self._plan.kind

    @property
    def digest(self) -> str:
        """The sha256 of the artifact's bytes: what made every score of this object."""
        return self._digest

    @property
    def header(self) -> dict[str, Any]:
        """The artifact's header."""
        return self._artifact.header

    @property
    def features(self) -> tuple[str, ...]:
        """The columns of the matrix, in order."""
        return self._plan.features

    @property
    def warm(self) -> bool:
        """False for half-space trees whose first window is not filled: River scores 0 for everything."""
        return self._plan.warm

    def matrix(self, vectors: Sequence[Mapping[str, float]]) -> npt.NDArray[np.float64]:
        """Lay vectors out as rows; a feature that a vector lacks becomes NaN, unknown names are left out."""
        try:
            values = list(itertools.chain.from_iterable(map(self._pick, vectors)))
        except KeyError:
            values = [vector.get(name, _MISSING) for vector in vectors for name in self.features]
        # struct is the fastest way from Python floats to memory: half of numpy's time.
        rows = struct.pack(f"{len(values)}d", *values)
        return np.frombuffer(rows, dtype=np.float64).reshape(len(vectors), len(self.features))

    def score(self, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Score rows of features.

        Parameters
        ----------
        matrix
            float64, one row per event, columns as in ``features``; NaN means that the feature is missing.

        Raises
        ------
        ValueError
            The matrix has another number of columns.
        """
        rows = np.ascontiguousarray(matrix, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(self.features):
            msg = f"the matrix has shape {rows.shape}; this model takes {len(self.features)} columns: {self.features}"
            raise ValueError(msg)
        scores = np.zeros(len(rows))
        if self.warm:
            self._batch(self._plan.address, rows.ctypes.data, len(rows), scores.ctypes.data)
        if self._python_sigmoid:
            return np.array([float(utils.math.sigmoid(value)) for value in scores.tolist()], dtype=np.float64)
        return scores

    def score_one(self, vector: Mapping[str, float]) -> float:
        """Score one vector; names the model does not know are ignored, features it lacks are missing."""
        if not self.warm:
            return 0.0
        try:
            values = self._pick(vector)
        except KeyError:
            values = tuple(vector.get(name, _MISSING) for name in self.features)
        with self._lock:
            self._layout.pack_into(self._buffer, 0, *values)
            score = self._row(self._plan_address, self._buffer_address)
        return float(utils.math.sigmoid(score)) if self._python_sigmoid else score

    def reasons(self, vector: Mapping[str, float]) -> tuple[str, list[dict[str, Any]]]:
        """Say which features raised a vector's score most; see :mod:`model_store.contributions` for the methods."""
        if self._contributions is None:  # few versions ever raise an alert
            self._contributions = Contributions(self._artifact)
        return self._contributions.method, self._contributions.reasons(vector)


def _linear(artifact: Artifact, artifact_digest: str) -> Scorer:
    model = artifact.header.get("model")
    steps = model.get("steps") if isinstance(model, dict) else None
    first = steps[0] if isinstance(steps, list) and steps else None
    encoded = isinstance(first, dict) and first.get("type") == UNION
    return EncodedScorer(artifact, artifact_digest) if encoded else CompiledScorer(artifact, artifact_digest)


LOADERS: dict[str, Callable[[Artifact, str], Scorer]] = {"half_space_trees": CompiledScorer, "linear": _linear}
"""What loads which kind; another kind of model is another entry."""


def _picker(features: tuple[str, ...]) -> Callable[[Mapping[str, float]], tuple[float, ...]]:
    """Return a function that takes a vector's values in order, and raises KeyError where one is missing."""
    if len(features) == 1:  # itemgetter of one name returns the value itself
        (only,) = features
        return lambda vector: (vector[only],)
    return operator.itemgetter(*features)
