"""``make faults [MINUTES=40]``: breaks everything under load, compares sums, prints the table. ``--hours``: a soak.

Exit code 1 when a fault lost, doubled or falsified something, or did not heal. Never part of ``make test``.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.bench.publish import RESULTS, publish
from tests.e2e.local import Local
from tests.e2e.models import stream, trained
from tests.e2e.scoring import Scoring
from tests.faults.disturbed import disturbed
from tests.faults.fuzz import fuzz
from tests.faults.plan import FULL_MINUTES, Plan
from tests.faults.row import Row, table_of
from tests.faults.soak import soak
from tests.faults.swaps import swaps

STORIES = ("disturbed", "fuzz", "swaps")


def main() -> int:
    """Read the arguments, start a stack, run the stories."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that all it started is ended
    with tempfile.TemporaryDirectory(prefix="weir-faults-") as folder:
        local = Local(Path(folder) / "home")
        try:
            local.weir_json("up", timeout_s=600)
            if arguments.hours:
                figures = soak(local, arguments.hours, seed=arguments.seed, rate=arguments.rate, say=_say)
                publish("soak", dict(figures))
                return 0
            return _faults(local, arguments)
        finally:
            local.stack.down()
            _keep(local.home / "logs", RESULTS / "faults-logs")
            local.stack.down(purge=True)


def _faults(local: Local, arguments: argparse.Namespace) -> int:
    started = time.monotonic()
    plan = Plan.of(arguments.minutes, arguments.seed)
    plan = replace(plan, faults=plan.faults[: arguments.most])
    rows: list[Row] = []
    stories: dict[str, Callable[[], list[Row]]] = {
        "disturbed": lambda: disturbed(
            local, plan, seed=arguments.seed, rate=arguments.rate, minutes=arguments.minutes, say=_say
        ),
        "fuzz": lambda: [_fuzz(local, plan.malformed, arguments.seed)],
        "swaps": lambda: [swaps(local, plan.swaps, rate=arguments.swap_rate)],
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    for name in arguments.only:
        rows += stories[name]()
        # after each story: one that fails takes nothing of those before it along
        (RESULTS / "faults.md").write_text(table_of(rows) + "\n", encoding="utf-8")
    memory = sum(local.stack.memory_mb().values()) / 1_000
    sys.stdout.write(
        f"{table_of(rows)}\n\n{(time.monotonic() - started) / 60:.0f} minutes, seed {arguments.seed}, {arguments.rate:g} "
        f"transactions and truths a second, {os.cpu_count()} cores, load average {os.getloadavg()[1]:.1f}, stack "
        f"{memory:.1f} GB\n"
    )
    return int(any(row.passed is False for row in rows))


def _fuzz(local: Local, count: int, seed: int) -> Row:
    scoring = Scoring(local, "fuzz")
    scoring.deploy(trained(1), "1")
    scoring.submit()
    scoring.wait_for_event("activated", "1", 180)
    started = time.monotonic()
    with scoring.producing(stream(50_000), 50):
        result = fuzz(scoring, count, seed, patience_s=600)
    total = scoring.wait_for_sum(scoring.sent(), 400)
    scoring.stop()
    _say(f"{count:,} malformed records took {time.monotonic() - started:.0f} s; reasons {dict(result.reasons)}")
    answered = result.reasons.total()
    passed = answered == count and result.restarts == 0 and total.holds
    text = f"{answered:,} dead letters with reason ({100 * answered / count:.4g} %), {result.restarts} restarts"
    if not passed:
        text += f"; unanswered {dict(result.unanswered)}, unexplained {dict(result.unexplained)}; {total}"
    return Row("malformed records, three topics", count, [], total.transactions, text, passed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--minutes", type=float, default=FULL_MINUTES, help="about how long; the numbers scale with it")
    parser.add_argument("--hours", type=float, default=0, help="no faults: a soak of so many hours")
    parser.add_argument("--most", type=int, default=1_000, help="at most so many of the faults, for a quick look")
    parser.add_argument("--seed", type=int, default=10)
    parser.add_argument("--rate", type=float, default=200, help="transactions a second; as many truths")
    parser.add_argument("--swap-rate", type=float, default=2_000, help="transactions a second while champions change")
    parser.add_argument("--only", nargs="+", choices=STORIES, default=list(STORIES))
    return parser.parse_args()


def _keep(logs: Path, where: Path) -> None:
    """Keep the logs of the run; the home is removed."""
    where.mkdir(parents=True, exist_ok=True)
    for log in logs.glob("*.log"):
        (where / log.name).write_bytes(log.read_bytes())


def _say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


if __name__ == "__main__":
    sys.exit(main())
