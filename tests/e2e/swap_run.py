"""Swaps under load with everything else going wrong, and a judgement of what the topics then hold.

Three versions take turns as champion, forwards and back, each by a row, while transactions go on coming. TaskManagers are
killed, and so is Kafka Connect; and after half of the swaps the registry's records all come once more, as from a
second snapshot, with tombstones. Nobody asks the job whether it went well.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import orjson

from jobs.transaction_sum import TransactionSum
from tests.e2e.models import stream, trained, without_truths
from tests.e2e.scoring import Scoring, wait_for
from udfs.domain.shards import Shards

__all__ = ["Swap", "SwapRun", "run_swaps"]

VERSIONS = ("1", "2", "3", "2")
"""In turns: forwards and back."""
MOST_ROWS = 1_000_000
DAYS = 60
KILLED = ("taskmanager", "connect")
"""A TaskManager that runs the job, and the way of the registry's rows."""
OF_PYTHON = ("Traceback", "pemja.core.PythonException", "model_store")
"""What the trace of a restart holds that our code, and so perhaps a model, caused."""


@dataclass(slots=True)
class Swap:
    """One activation.

    Parameters
    ----------
    seq, version, digest
        The row.
    committed_ms
        When its commit returned.
    disturbed
        Whether something was killed since the swap before: how long it took then tells of that.
    """

    seq: int
    version: str
    digest: str
    committed_ms: int
    disturbed: bool
    first_ms: list[int] = field(default_factory=list)
    """First score on each subtask, epoch milliseconds."""
    gap_ms: list[int] = field(default_factory=list)
    """On each subtask, between the last score of the version before and the first of this one."""


@dataclass(slots=True)
class SwapRun:
    """What came of it."""

    swaps: list[Swap]
    sum: TransactionSum
    inferences: int
    not_active: int
    wrong_digest: int
    out_of_turn: int
    restarts: int
    restarts_by_python: int
    kills: int
    verified: dict[str, Any]
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether no score was wrong, none is missing, and no model made the job restart."""
        wrong = self.not_active + self.wrong_digest + self.out_of_turn + self.restarts_by_python
        whole = self.sum.holds and self.inferences == self.sum.inferences == self.verified["compared"]
        return whole and not wrong and not self.verified["mismatched"]

    def figures(self) -> dict[str, float | int]:
        """Return the figures for people and for ``build/bench``."""
        calm = [swap for swap in self.swaps if not swap.disturbed and swap.first_ms]
        to_first = [max(swap.first_ms) - swap.committed_ms for swap in calm]
        gaps = [gap for swap in calm for gap in swap.gap_ms]
        return {
            "swaps": len(self.swaps),
            "swaps_undisturbed_that_scored": len(calm),
            "commit_to_first_score_p50_ms": float(np.percentile(to_first, 50)),
            "commit_to_first_score_p99_ms": float(np.percentile(to_first, 99)),
            "longest_gap_at_a_swap_ms": max(gaps, default=0),
            "transactions": self.sum.transactions,
            "transactions_per_s": round(self.sum.transactions / self.seconds, 1),
            "missing": self.sum.missing,
            "doubled": self.sum.doubled,
            "scores_by_a_version_not_active": self.not_active + self.out_of_turn,
            "scores_with_another_digest": self.wrong_digest,
            "restarts": self.restarts,
            "restarts_caused_by_python": self.restarts_by_python,
            "kills": self.kills,
            "verified": self.verified["compared"],
            "mismatched": self.verified["mismatched"],
        }


def run_swaps(scoring: Scoring, swaps: int, rate: float, pause_s: float, *, kills_of_each: int = 2) -> SwapRun:
    """Deploy, send, swap and kill, then judge.

    Parameters
    ----------
    scoring
        A story whose job was not submitted yet.
    swaps
        Activations after the first.
    rate
        Transactions a second.
    pause_s
        Seconds of stream between a swap that scores and the next one.
    kills_of_each
        How often a TaskManager is killed, and Connect.
    """
    registry_ms = time.time_ns() // 1_000_000
    scoring.deploy(trained(1), "1")
    scoring.submit()
    scoring.wait_for_event("activated", "1")
    # Spread over the run, in turns.
    killed = KILLED * kills_of_each
    kills = {round(swaps * part / (len(killed) + 1)): name for part, name in enumerate(killed, start=1)}
    done: list[Swap] = []
    begun = time.monotonic()
    with scoring.producing(without_truths(stream(MOST_ROWS, days=DAYS)), rate):
        for number in range(1, swaps + 1):
            time.sleep(pause_s)
            if number == swaps // 2:
                send_again(scoring, registry_ms)
            if number in kills:
                scoring.kill(scoring.workers()[-1] if kills[number] == "taskmanager" else kills[number])
            done.append(_swap(scoring, VERSIONS[number % len(VERSIONS)], disturbed=number in kills))
        time.sleep(pause_s)
    seconds = time.monotonic() - begun
    total = scoring.wait_for_sum(scoring.sent(), timeout_s=300)
    return _judge(scoring, done, total, len(kills), seconds)


def send_again(scoring: Scoring, since_ms: int) -> None:
    """Send the registry's records since then once more, each with a tombstone behind it: nothing may come of them.

    Not those of other stories: there may be as many as a fuzzer made.
    """
    records = [
        each for each in scoring.records("weir.metadata") if each.key and each.value and each.timestamp_ms >= since_ms
    ]
    again = [pair for each in records for pair in ((each.key, each.value), (each.key, None))]
    scoring.send(again, topic="weir.metadata")


def _swap(scoring: Scoring, version: str, *, disturbed: bool) -> Swap:
    """Deploy a version by a row and wait until the gate's word about it is committed."""
    digest = scoring.deploy(trained(int(version)), version)
    committed_ms, seq = time.time_ns() // 1_000_000, scoring.store.last_deployment_seq()

    def activated() -> bool:
        return any(each["deployment_seq"] == seq for each in scoring.model_events("activated"))

    wait_for(f"version {version} is activated", activated, timeout_s=150, pause_s=0.1)
    return Swap(seq, version, digest, committed_ms, disturbed)


def _judge(scoring: Scoring, swaps: list[Swap], total: TransactionSum, kills: int, seconds: float) -> SwapRun:
    events = {each["deployment_seq"]: each for each in scoring.model_events("activated")}
    digests = {swap.version: swap.digest for swap in swaps}
    subtask_of = _subtasks(scoring)
    turns: dict[tuple[int, int], list[int]] = defaultdict(list)
    times: dict[int, list[tuple[int, int]]] = defaultdict(list)
    not_active = wrong_digest = count = 0
    for record in scoring.records("inferences"):
        said = orjson.loads(record.value or b"{}")
        event, subtask = events.get(said["deployment_seq"]), subtask_of[said["transaction_id"]]
        count += 1
        not_active += (
            event is None or event["version"] != said["version"] or said["prediction_time_ms"] < event["time_ms"]
        )
        wrong_digest += said["digest"] != digests[said["version"]]
        turns[subtask, record.partition].append(said["deployment_seq"])
        times[subtask].append((said["deployment_seq"], said["prediction_time_ms"]))
    for scored in times.values():
        _measure(swaps, scored)
    traces = [str(each["stacktrace"]) for each in scoring.flink.exceptions(scoring.job_id)]
    return SwapRun(
        swaps=swaps,
        sum=total,
        inferences=count,
        not_active=not_active,
        wrong_digest=wrong_digest,
        out_of_turn=sum(after < before for turn in turns.values() for before, after in pairwise(turn)),
        restarts=scoring.restarts(),
        restarts_by_python=sum(any(mark in trace for mark in OF_PYTHON) for trace in traces),
        kills=kills,
        verified=scoring.local.weir_json("verify", timeout_s=600, model=scoring.model),
        seconds=seconds,
    )


def _subtasks(scoring: Scoring) -> dict[str, int]:
    """Return the subtask of the score stage of each transaction: that of its terminal's shard."""
    shards, parallelism = Shards(scoring.settings.shards), scoring.settings.parallelism
    found = {}
    for message in scoring.messages("transactions"):
        at = shards.keys.index(shards.of(message["terminal_id"])) * parallelism // len(shards.keys)
        found[message["transaction_id"]] = at
    return found


def _measure(swaps: list[Swap], scored: list[tuple[int, int]]) -> None:
    """Note for each swap when one subtask first scored with it, and how long it had been silent then."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for seq, time_ms in scored:
        first[seq] = min(first.get(seq, time_ms), time_ms)
        last[seq] = max(last.get(seq, time_ms), time_ms)
    for swap in swaps:
        before = max((seq for seq in last if seq < swap.seq), default=None)
        if swap.seq in first:
            swap.first_ms.append(first[swap.seq])
            if before is not None:
                swap.gap_ms.append(first[swap.seq] - last[before])
