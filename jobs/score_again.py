"""Makes recorded scores again, in a process that shares nothing with the one that made them.

Runs in the worker processes of :mod:`jobs.verification`: it gets an artifact as a file, recorded features and recorded
scores, and answers with what differs. It knows neither Kafka nor the registry.
"""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from udfs.domain.errors import ArtifactError

__all__ = ["Mismatch", "Scored", "answer", "ignore_interrupts", "score_again"]

LARGEST_CACHE = 16
_Score = Callable[[Sequence[Mapping[str, float]]], list[float]]


@dataclass(frozen=True, slots=True)
class Scored:
    """A recorded score.

    Parameters
    ----------
    transaction_id, role, version
        Which inference it is.
    features
        The recorded features.
    score
        The recorded score.
    """

    transaction_id: str
    role: str
    version: str
    features: Mapping[str, float]
    score: float


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A score that did not come out again.

    Parameters
    ----------
    transaction_id, role, version, digest
        Which inference it is, and which bytes are said to have made it.
    recorded, again
        Both scores as hexadecimal floats, which show every bit.
    """

    transaction_id: str
    role: str
    version: str
    digest: str
    recorded: str
    again: str


def score_again(artifact: Path, digest: str, batch: Sequence[Scored], fast: bool) -> list[Mismatch]:
    """Return the scores of a batch that do not come out again, bit for bit.

    Parameters
    ----------
    artifact
        File with the artifact's bytes.
    digest
        Their sha256, as the inferences record it.
    batch
        What one artifact scored.
    fast
        Score with the compiled scorer, as the job does, instead of River's own objects.

    Raises
    ------
    ArtifactError
        If the bytes are not those of the digest, or do not load.
    """
    again = _scorer(artifact, digest, fast)([scored.features for scored in batch])
    recorded = np.array([scored.score for scored in batch], dtype=np.float64)
    # As bits: equality would call 0.0 and -0.0 the same, and NaN different from itself.
    differs = recorded.view(np.int64) != np.array(again, dtype=np.float64).view(np.int64)
    return [
        Mismatch(
            batch[index].transaction_id,
            batch[index].role,
            batch[index].version,
            digest,
            float(batch[index].score).hex(),
            float(again[index]).hex(),
        )
        for index in np.flatnonzero(differs).tolist()
    ]


def answer(artifact: Path, digest: str, batch: Sequence[Scored], fast: bool) -> list[Mismatch] | tuple[str, str]:
    """Call :func:`score_again` in a worker: a refused artifact is answered as (reason, detail), which can travel."""
    try:
        return score_again(artifact, digest, batch, fast)
    except ArtifactError as error:
        return error.reason, error.detail


def ignore_interrupts() -> None:
    """Leave Ctrl-C to the parent process, which ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@lru_cache(maxsize=LARGEST_CACHE)
def _scorer(artifact: Path, digest: str, fast: bool) -> _Score:
    data = artifact.read_bytes()
    got = hashlib.sha256(data).hexdigest()
    if got != digest:
        detail = f"the inferences name {digest}, the bytes are {got}"
        raise ArtifactError(reason="wrong_digest", detail=detail)
    return _compiled(data) if fast else _rebuilt(data)


def _rebuilt(data: bytes) -> _Score:
    from model_store.artifact import Artifact
    from model_store.rebuild import rebuild
    from model_store.river_score import river_score

    model = rebuild(data)
    names = Artifact.decode(data).header["feature_set"]["features"]
    return lambda vectors: [river_score(model, vector, names) for vector in vectors]


def _compiled(data: bytes) -> _Score:
    from model_store.compiled_scorer import load_scorer

    scorer = load_scorer(data)
    return lambda vectors: [float(score) for score in scorer.score(scorer.matrix(vectors))]
