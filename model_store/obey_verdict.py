"""What a verdict of the gate changes for whoever scores: the job's stage and the API obey it by this one function."""

from __future__ import annotations

from typing import NamedTuple

from model_store.gate import Verdict
from udfs.domain.deployment import Deployment

__all__ = ["Obeyed", "obey_verdict"]


class Obeyed(NamedTuple):
    """What holds after a verdict.

    Parameters
    ----------
    deployment
        Who holds which role.
    artifact
        The bytes to keep under the digest that the verdict's activation names; None where there are none to keep.
    unneeded
        Digests that no activation names any more: what was kept under them may go.
    """

    deployment: Deployment
    artifact: bytes | None
    unneeded: frozenset[str]


def obey_verdict(before: Deployment, verdict: Verdict) -> Obeyed:
    """Return what a verdict changes; the same verdicts in the same order give the same everywhere.

    Examples
    --------
    >>> from udfs.domain.metadata import Activation
    >>> first, second = (Activation(seq, "fraud", "shadow", str(seq), f"d{seq}", None, 0, False) for seq in (1, 2))
    >>> now = obey_verdict(Deployment(), Verdict(first, accepted=True, artifact=b"bytes"))
    >>> now.deployment.active("shadow").version, now.artifact, now.unneeded
    ('1', b'bytes', frozenset())
    >>> now = obey_verdict(now.deployment, Verdict(second, accepted=False))
    >>> now.deployment.active("shadow").version, now.deployment.seen_seq
    ('1', 2)
    """
    activation = verdict.activation
    if not verdict.accepted:
        return Obeyed(before.saw(activation.deployment_seq), None, frozenset())
    after = before.accept(activation)
    kept = verdict.artifact if activation.digest in after.digests else None
    return Obeyed(after, kept, before.digests - after.digests)
