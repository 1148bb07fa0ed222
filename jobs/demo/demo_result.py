"""What came of a demo: the figures that are printed, and the document for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from jobs.demo.check import Check
from jobs.transaction_sum import TransactionSum

__all__ = ["DemoResult", "SwapResult", "VersionResult"]


@dataclass(frozen=True, slots=True)
class VersionResult:
    """One version that scored; its quality as the job published it.

    Parameters
    ----------
    model, version, role, algorithm, digest
        Which it is.
    scored
        Its inferences with a score.
    positives, negatives
        Frauds and genuine transactions among those counted in its ROC AUC.
    roc_auc
        The newest row of ``model_quality`` over its whole life; None where a class is missing.
    error_bound
        How far that can be from the exact value; 0 if it is exact.
    ci_low, ci_high
        Its 95 % interval.
    excluded
        Inferences on transactions it was trained on, which are not counted.
    scikit_learn_roc_auc
        The same from scikit-learn, on the topics ``inferences`` and ``truths``.
    """

    model: str
    version: str
    role: str
    algorithm: str
    digest: str
    scored: int
    positives: int
    negatives: int
    roc_auc: float | None
    error_bound: float | None
    ci_low: float | None
    ci_high: float | None
    excluded: int
    scikit_learn_roc_auc: float | None

    @property
    def agrees(self) -> bool:
        """Whether scikit-learn finds the same, within the bound that was published, or 1e-9 if it is 0."""
        ours, theirs = self.roc_auc, self.scikit_learn_roc_auc
        if ours is None or theirs is None:
            return ours is theirs
        return abs(ours - theirs) <= max(1e-9, self.error_bound or 0.0)


@dataclass(frozen=True, slots=True)
class SwapResult:
    """A change of the champion.

    Parameters
    ----------
    from_version, to_version
        Before and after.
    commit_to_first_score_ms
        From the commit of the activation's row in PostgreSQL to the append of the first inference of the new version.
    event_time_ms
        Event time of that first transaction.
    """

    from_version: str
    to_version: str
    commit_to_first_score_ms: int
    event_time_ms: int

    def to_json(self) -> dict[str, Any]:
        """Return the swap as ``weir demo --json`` and the picture name its fields."""
        return {
            "from": self.from_version,
            "to": self.to_version,
            "commit_to_first_score_ms": self.commit_to_first_score_ms,
            "event_time_ms": self.event_time_ms,
        }


@dataclass(frozen=True, slots=True)
class DemoResult:
    """Everything the demo measured.

    Parameters
    ----------
    account
        Every transaction answered exactly once, or not.
    restarts
        Of the job, as Flink counts them.
    job_state
        The job's state when the sums were read.
    versions, swaps
        In the order in which they came.
    rejected
        The record of ``model_events`` that refused the poisoned version, None if there is none.
    latency_ms
        p50 and p99 of the inference's append minus the transaction's, and, as ``committed_p50`` and ``committed_p99``,
        until a consumer of committed records held it; ``warm_p50`` and ``warm_p99`` leave out the first ten seconds.
    events_per_s
        Champion inferences a second over the whole stream.
    compared, mismatched
        Scores made again in fresh processes, and those that came out differently.
    checks
        What was claimed and whether it holds.
    picture
        The PNG.
    seconds
        How long the demo took.
    memory_mb
        Resident memory of the whole stack at the end of the stream.
    """

    account: TransactionSum
    restarts: int
    job_state: str
    versions: list[VersionResult]
    swaps: list[SwapResult]
    rejected: dict[str, Any] | None
    latency_ms: dict[str, float | None]
    events_per_s: float
    compared: int
    mismatched: int
    checks: list[Check]
    picture: str
    seconds: float
    memory_mb: float
    addresses: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether every check holds."""
        return all(check.ok for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """Return the document ``weir demo --json`` prints."""
        account = self.account
        return {
            "ok": self.ok,
            "transactions": account.transactions - account.controls,
            "inferences": account.inferences,
            "dead_letters": account.dead_letters,
            "duplicates": account.duplicates,
            "controls": account.controls,
            "restarts": self.restarts,
            "job_state": self.job_state,
            "versions": [{**asdict(version), "agrees": version.agrees} for version in self.versions],
            "swaps": [swap.to_json() for swap in self.swaps],
            "rejected": self.rejected,
            "latency_ms": self.latency_ms,
            "events_per_s": round(self.events_per_s, 1),
            "verified": {"compared": self.compared, "mismatched": self.mismatched},
            "checks": [asdict(check) for check in self.checks],
            "sum": account.to_json(),
            "picture": self.picture,
            "seconds": round(self.seconds, 1),
            "memory_mb": self.memory_mb,
            "addresses": self.addresses,
        }
