"""The words for why an artifact is refused, as ``model_events`` publishes them."""

from __future__ import annotations

from typing import Final

__all__ = ["Reason"]


class Reason:
    """One word per finding; :class:`~udfs.domain.errors.ArtifactError` carries it with a sentence of detail.

    Attributes
    ----------
    TRUNCATED
        Bytes are missing at the end.
    NOT_AN_ARTIFACT
        The first bytes are not an artifact's.
    UNSUPPORTED_VERSION
        A format version, or a flag, that this code does not read.
    OVERSIZED
        More than 4 MiB, more than 32 MiB of arrays, or more than 1 MiB of header.
    CORRUPT
        The checksum, the compression or the JSON is broken.
    MALFORMED
        Header and arrays are readable and do not fit each other.
    NOT_FINITE
        A weight, a threshold, a scale, a parameter or a recorded score is NaN or infinite.
    WRONG_DIGEST
        The sha256 of the bytes is not the one the registry names.
    UNKNOWN_KIND
        A kind of model, or a part of one, that this code does not know.
    UNKNOWN_FEATURE_SET
        The job does not compute this feature set.
    FEATURE_SET_HASH
        The job computes a feature set of that name, with another definition.
    NOT_WARM
        Half-space trees whose first window is not filled: they score 0 for everything.
    COST
        The recorded or the computed cost per score is above the limit.
    PROBES
        Fewer than 32 probes, or a probe scores differently than recorded.
    SIGNATURE
        No key this job trusts has signed the bytes.
    UNSUPPORTED_MODEL
        (At export) a River object that this format has no form for.
    """

    TRUNCATED: Final = "truncated"
    NOT_AN_ARTIFACT: Final = "not_an_artifact"
    UNSUPPORTED_VERSION: Final = "unsupported_version"
    OVERSIZED: Final = "oversized"
    CORRUPT: Final = "corrupt"
    MALFORMED: Final = "malformed"
    NOT_FINITE: Final = "not_finite"
    WRONG_DIGEST: Final = "wrong_digest"
    UNKNOWN_KIND: Final = "unknown_kind"
    UNKNOWN_FEATURE_SET: Final = "unknown_feature_set"
    FEATURE_SET_HASH: Final = "feature_set_hash"
    NOT_WARM: Final = "not_warm"
    COST: Final = "cost"
    PROBES: Final = "probes"
    SIGNATURE: Final = "signature"
    UNSUPPORTED_MODEL: Final = "unsupported_model"
