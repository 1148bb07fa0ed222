"""Decides whether an artifact may score: everything the gate checks before a version becomes active.

Deterministic: no clock, no network, so it gives the same answer in every run and on every subtask. The reasons, in the
order in which they are looked for:

========================  ==============================================================================
``oversized``             more than 4 MiB, or arrays of more than 32 MiB
``truncated``             bytes are missing at the end
``wrong_digest``          the sha256 of the bytes is not the one the registry names
``not_an_artifact``       the bytes are something else
``unsupported_version``   a format version this code does not read
``corrupt``               checksum, compression or JSON broken
``unknown_kind``          a kind of model, or a part of one, that this code does not know
``unknown_feature_set``   the job does not compute this feature set
``feature_set_hash``      it has one of that name, but with another definition
``not_finite``            a weight, threshold, scale or recorded score is NaN or infinite
``malformed``             header and arrays do not fit each other
``not_warm``              half-space trees whose first window is not filled: they score 0 for everything
``cost``                  the recorded or computed cost per score is above the limit
``probes``                fewer than 32 probe vectors, or a probe scores differently than recorded
========================  ==============================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from model_store.artifact import Artifact, check_envelope
from model_store.artifact import digest as digest_of
from model_store.compiled_scorer import LOADERS, scorer_of
from model_store.cost import cost_us
from model_store.fields import array, field
from model_store.probes import MIN_PROBES, probe_vectors
from model_store.reason import Reason
from model_store.scorer import Scorer
from udfs.domain.errors import ArtifactError

__all__ = ["COST_LIMIT_US", "admit"]

COST_LIMIT_US = 100.0
"""The default limit; ten trees of height 8 on 30 features cost about 1.2."""


def admit(data: bytes, digest: str, *, feature_sets: Mapping[str, Any], cost_limit_us: float = COST_LIMIT_US) -> Scorer:
    """Check an artifact and return its scorer, ready to score.

    Parameters
    ----------
    data
        The artifact's bytes, all parts together.
    digest
        The sha256, in hex, that the registry names.
    feature_sets
        Label to hash of the feature sets the job computes. A value may be a feature set itself (``hash`` and
        ``features``); then the names and their order are compared, too.
    cost_limit_us
        The most microseconds a score may cost.

    Raises
    ------
    ArtifactError
        With one of the reasons in the module's docstring, and never anything else.
    """
    # Length first: bytes that were cut off have another digest, too, but "truncated" tells more.
    try:
        check_envelope(data)
    except ArtifactError as error:
        if error.reason in (Reason.OVERSIZED, Reason.TRUNCATED):
            raise
    if digest_of(data) != digest:
        raise ArtifactError(Reason.WRONG_DIGEST, f"the registry names {digest:.64}, the bytes are {digest_of(data)}")
    artifact = Artifact.decode(data)
    _check_kind(artifact)
    _check_feature_set(artifact, feature_sets)
    scorer = scorer_of(artifact, digest)
    if not getattr(scorer, "warm", True):
        raise ArtifactError(Reason.NOT_WARM, "the first window of the half-space trees is not filled; train it further")
    _check_cost(artifact, cost_limit_us)
    _check_probes(artifact, scorer)
    return scorer


def _check_kind(artifact: Artifact) -> None:
    """Refuse a kind without loader, and a header that lacks what the job reads of it."""
    kind = artifact.header.get("kind")
    if not isinstance(kind, str) or kind not in LOADERS:
        raise ArtifactError(Reason.UNKNOWN_KIND, f"kind {kind!r:.60}; this code loads {', '.join(LOADERS)}")
    if field(artifact.header, "trained_until_ms", int) < 0:
        raise ArtifactError(Reason.MALFORMED, "trained_until_ms is negative")


def _check_feature_set(artifact: Artifact, feature_sets: Mapping[str, Any]) -> None:
    """Compare the artifact's feature set with what the job computes."""
    wanted = field(artifact.header, "feature_set", dict)
    label = field(wanted, "label", str)
    if label not in feature_sets:
        known = ", ".join(sorted(feature_sets)) or "none"
        raise ArtifactError(Reason.UNKNOWN_FEATURE_SET, f"{label!r:.60}; this job computes {known}")
    ours = feature_sets[label]
    features = getattr(ours, "features", None)
    ours_hash = ours if isinstance(ours, str) else ours.hash
    same_names = features is None or list(features) == wanted.get("features")
    if wanted.get("hash") != ours_hash or not same_names:
        detail = f"{label}: the artifact was made for {wanted.get('hash')!r:.70}, this job computes {ours_hash}"
        raise ArtifactError(Reason.FEATURE_SET_HASH, detail)


def _check_cost(artifact: Artifact, limit_us: float) -> None:
    """Compare the recorded cost, and the one its size gives, with the limit."""
    recorded = artifact.header.get("cost_us")
    if isinstance(recorded, bool) or not isinstance(recorded, int | float) or recorded < 0:
        raise ArtifactError(Reason.COST, f"no cost per score is recorded, got {recorded!r:.40}")
    model = artifact.header["model"]
    cost = max(recorded, cost_us(artifact.header["feature_set"]["features"], model["steps"]))
    if cost > limit_us:
        raise ArtifactError(Reason.COST, f"a score costs {cost} us, the limit is {limit_us} us")


def _check_probes(artifact: Artifact, scorer: Scorer) -> None:
    """Score the probes, as a list and one by one, and compare every bit with the recorded scores."""
    recorded = artifact.arrays.get("probes.scores")
    count = 0 if recorded is None or recorded.ndim != 1 else len(recorded)
    if count < MIN_PROBES:
        raise ArtifactError(Reason.PROBES, f"{count} probes are recorded, at least {MIN_PROBES} are needed")
    recorded = array(artifact.arrays, "probes.scores", "<f8", (count,))
    vectors = probe_vectors(artifact.header, artifact.arrays, scorer.features, count)
    singles = [scorer.score_one(vector) for vector in vectors]
    scores = scorer.score(scorer.matrix(vectors))
    if scores.tobytes() != np.array(singles, dtype=np.float64).tobytes():
        raise ArtifactError(Reason.PROBES, "a list of probes scores differently than its vectors one by one")
    # Bits, not values: 0.0 and -0.0 are equal but differ, and NaN is never equal.
    differ = np.flatnonzero(scores.view(np.int64) != np.ascontiguousarray(recorded).view(np.int64))
    if len(differ):
        first = int(differ[0])
        got, wanted = float(scores[first]), float(recorded[first])
        detail = f"{len(differ)} of {count} differ; probe {first} scores {got!r}, recorded {wanted!r}"
        raise ArtifactError(Reason.PROBES, detail)
