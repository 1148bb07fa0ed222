"""The champion changes again and again under load, while what carries it is killed."""

from __future__ import annotations

from tests.bench.publish import publish
from tests.e2e.local import Local
from tests.e2e.scoring import Scoring
from tests.e2e.swap_run import run_swaps
from tests.faults.row import Row

__all__ = ["swaps"]

PAUSE_S = 1.0


def swaps(local: Local, count: int, *, rate: float) -> Row:
    """Swap so often at so many transactions a second; publish how long swaps took."""
    scoring = Scoring(local, "swaps")
    run = run_swaps(scoring, count, rate, PAUSE_S)
    scoring.stop()
    figures = run.figures()
    publish("swaps", dict(figures))
    result = (
        f"{figures['scores_by_a_version_not_active']} scores by a version not active, {figures['missing']} missing, "
        f"{figures['restarts_caused_by_python']} restarts by a model, {figures['mismatched']} of {figures['verified']:,} "
        f"scores differ when made again; commit to first score p50 {figures['commit_to_first_score_p50_ms']:.0f} ms, "
        f"p99 {figures['commit_to_first_score_p99_ms']:.0f} ms"
    )
    return Row(
        f"the champion swapped at {rate:,.0f} a second, {run.kills} kills", count, [], run.sum.transactions, result,
        run.holds,
    )  # fmt: skip
