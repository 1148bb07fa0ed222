"""Reads what a stream left in the topics and checks everything the demo claims."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np

from jobs.accounting import Accounting
from jobs.demo.check import Check
from jobs.demo.demo_context import DemoContext
from jobs.demo.demo_result import SwapResult, VersionResult
from jobs.demo.deployment_commits import deployment_commits
from jobs.demo.quality_rows import QualityRows
from jobs.demo.score_watch import ScoreWatch
from jobs.demo.tally import Tally, VersionTally
from jobs.transaction_sum import TransactionSum

__all__ = ["latencies", "settle_quality", "settle_sum", "swaps_of", "versions_of"]

SUM_PATIENCE_S, QUALITY_PATIENCE_S = 120.0, 90.0
COLD_MS = 10_000


def settle_sum(context: DemoContext, sent: int) -> tuple[TransactionSum, Check]:
    """Read the sum until every transaction that was sent is answered, or patience ends.

    Parameters
    ----------
    context
        The demo.
    sent
        Transactions the broker acknowledged.
    """
    accounting, deadline = Accounting.of_broker(context.bootstrap), time.monotonic() + SUM_PATIENCE_S
    while True:
        account = accounting.update()
        whole = account.holds and account.transactions - account.controls == sent
        if whole or time.monotonic() > deadline:
            return account, Check("the sum holds", whole, f"{sent:,} sent; {account}")
        context.view.tell("sum", f"{account.missing:,} of {account.transactions:,} records are not answered yet")
        time.sleep(0.5)


def settle_quality(context: DemoContext, tally: Tally, closes: bool) -> tuple[QualityRows, Check]:
    """Read ``model_quality`` until it accounts for every score and truth and its windows are final.

    Parameters
    ----------
    context
        The demo.
    tally
        What the topics hold.
    closes
        Whether the stream's end makes the windows final.
    """
    rows, deadline = QualityRows(context.read), time.monotonic() + QUALITY_PATIENCE_S
    while True:
        rows.update()
        missing = rows.unsettled(tally.versions, windows_close=closes)
        if not missing or time.monotonic() > deadline:
            final = "final" if closes else "not final yet, their truth may still come"
            told = missing or f"every score and every truth is counted, the windows are {final}"
            return rows, Check("the quality is settled", not missing, told)
        context.view.tell("quality", missing)
        time.sleep(0.5)


def versions_of(context: DemoContext, tally: Tally, rows: QualityRows) -> tuple[list[VersionResult], list[Check]]:
    """Return each version's figures as the job published them, and whether scikit-learn agrees."""
    versions = [_version(context, each, rows) for each in tally.versions.values()]
    silent = [name for name in context.trained if name not in tally.versions]
    checks = [Check("every version scored", not silent, "no score by version " + ", ".join(silent) if silent else "")]
    for each in versions:
        said = f"version {each.version}: the job {each.roc_auc}, scikit-learn {each.scikit_learn_roc_auc}"
        checks.append(
            Check("scikit-learn finds the same ROC AUC", each.agrees, f"{said}, error bound {each.error_bound}")
        )
    return versions, checks


def _version(context: DemoContext, tally: VersionTally, rows: QualityRows) -> VersionResult:
    row = rows.life(tally.version) or {}
    trained = context.trained.get(tally.version)
    return VersionResult(
        model=tally.model,
        version=tally.version,
        role="champion",
        algorithm=trained.algorithm if trained else "",
        digest=", ".join(sorted(tally.digests)),
        scored=tally.scored,
        positives=row.get("positives", 0),
        negatives=row.get("negatives", 0),
        roc_auc=row.get("roc_auc"),
        error_bound=row.get("error_bound"),
        ci_low=row.get("ci_low"),
        ci_high=row.get("ci_high"),
        excluded=row.get("excluded", 0),
        scikit_learn_roc_auc=tally.roc_auc(),
    )


def swaps_of(context: DemoContext, tally: Tally) -> list[SwapResult]:
    """Return the changes of the champion, each timed from the commit of its row to its first score."""
    commits = deployment_commits(context.read)
    return [
        SwapResult(old.version, new.version, new.first_append_ms - commits[new.first_seq], new.first_event_ms)
        for old, new in pairwise(tally.versions.values())
    ]


def latencies(tally: Tally, watch: ScoreWatch) -> dict[str, float | None]:
    """Return p50 and p99 in milliseconds: of append to append, and of append to a consumer of committed records.

    With ``warm_`` they leave out the transactions of the first ten seconds, in which a new job compiles what it runs.
    """
    appended, ingested = np.array(tally.appended_ms), np.array(tally.ingested_ms)
    warm = appended[ingested >= tally.first_transaction_ms + COLD_MS]
    figures: dict[str, float | None] = {}
    for prefix, sample in (("", appended), ("committed_", watch.committed_ms), ("warm_", warm)):
        for name, share in (("p50", 50), ("p99", 99)):
            figures[prefix + name] = round(float(np.percentile(sample, share)), 1) if len(sample) else None
    return figures
