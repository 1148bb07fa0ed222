"""What the job needs of anything that scores, and nothing about how it does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Scorer"]


class Scorer(Protocol):
    """A loaded model version: immutable, reads no clock, keeps no history.

    A new kind of model (ONNX, say) is a class with these members and an entry in
    :data:`model_store.compiled_scorer.LOADERS`; the job does not change.
    """

    @property
    def kind(self) -> str:
        """The kind of model, as the artifact's header names it."""
        ...

    @property
    def digest(self) -> str:
        """The sha256 of the artifact's bytes, in hex: what an inference records."""
        ...

    @property
    def header(self) -> dict[str, Any]:
        """The artifact's header: feature set, training, parent, versions."""
        ...

    @property
    def features(self) -> tuple[str, ...]:
        """The columns of the matrix, in order."""
        ...

    def matrix(self, vectors: Sequence[Mapping[str, Any]]) -> npt.NDArray[np.float64]:
        """Lay vectors out as the matrix that ``score`` takes; a feature that a vector lacks becomes NaN, a string a code."""
        ...

    def score(self, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Score rows of features; NaN in the matrix means that the feature is missing."""
        ...

    def score_one(self, vector: Mapping[str, Any]) -> float:
        """Score one vector; names the model does not know are ignored."""
        ...

    def reasons(self, vector: Mapping[str, float]) -> tuple[str, list[dict[str, Any]]]:
        """Say which features raised a vector's score most, and by which method; asked for alerts only."""
        ...
