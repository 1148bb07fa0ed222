"""What happens beside the stream: a version is trained and takes over, and one that must not is refused.

Written as a generator, so that it reads from top to bottom and yet never waits: whoever drives it calls ``next`` several
times a second and shows the stream in between.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from jobs.commands.promote import promote_version
from jobs.demo.demo_context import DemoContext
from jobs.demo.plan import POISON_AT, PROMOTE_AT
from jobs.demo.poison import POISONED_VERSION, deploy_poison
from jobs.demo.score_watch import ScoreWatch
from jobs.demo.trainer import Trainer
from jobs.training.train_version import TrainedVersion

__all__ = ["tell_story"]

PATIENCE_S = 30.0
"""So long may the job take to show that it obeyed, or refused, before the demo goes on without it."""

LATE_S = 3.0
UNHURRIED = 0.2
"""Share of its rate at which the stream goes on while version 2 is later than it should be: both versions are to score.

It is late when its turn comes before it is trained, or when it does not score so many seconds after its promotion began.
"""


class Paced(Protocol):
    """A stream whose rate can be changed."""

    @property
    def share(self) -> float:
        """Share of the transactions that is sent, 0 to 1."""

    def pace(self, rate: float) -> None:
        """Go on at so many transactions a second."""


def tell_story(
    context: DemoContext,
    trainer: Trainer,
    watch: ScoreWatch,
    stream: Paced,
    trained: TrainedVersion | None = None,
) -> Iterator[None]:
    """Train and promote version 2, then try to deploy a poisoned one; each ``next`` returns at once or nearly so.

    Parameters
    ----------
    context
        The demo.
    trainer
        Trains version 2.
    watch
        Sees what the job does.
    stream
        What is being sent.
    trained
        Version 2, if it was trained before the stream.
    """
    plan, view = context.plan, context.view
    if trained is None:
        while stream.share < plan.train_at:
            yield
        trainer.order(plan.second)
        while (trained := trainer.poll()) is None:
            view.tell("second", _training(plan.second.algorithm, trainer.seen, plan.second_told))
            if stream.share >= PROMOTE_AT:
                stream.pace(plan.rate * UNHURRIED)
            yield
    context.trained[trained.version] = trained
    learned = (
        f"{trained.algorithm} on {trained.examples:,} transactions ({plan.second_told}, {trained.frauds:,} frauds)"
    )
    while stream.share < PROMOTE_AT:
        view.tell("second", f"{learned}; waits for its turn")
        yield
    at = stream.share
    late = threading.Timer(LATE_S, stream.pace, (plan.rate * UNHURRIED,))
    late.start()
    try:
        promote_version(context.registry, trained.model, trained.version, why="the demo's second version")
        yield from _wait(lambda: watch.scored[trained.version] > 0)
    finally:
        late.cancel()
    stream.pace(plan.rate)
    if watch.scored[trained.version]:
        view.done("second", f"{learned}; promoted at {at:.0%} of the stream and scoring")
    else:
        view.fail("second", f"{learned}; promoted at {at:.0%} of the stream, and no score by it was seen")
    while stream.share < POISON_AT:
        yield
    yield from _poison(context, watch, trained)


def _training(algorithm: str, seen: int, told: str) -> str:
    return f"training {algorithm} on {told} while the stream runs: {seen:,} transactions so far"


def _poison(context: DemoContext, watch: ScoreWatch, good: TrainedVersion) -> Iterator[None]:
    view = context.view
    view.tell("poison", "a champion whose weights are in the wrong order is written as a row")
    deploy_poison(context.store, good.model, context.store.load_artifact(good.digest))
    yield from _wait(lambda: watch.event_of(POISONED_VERSION, "rejected") is not None)
    rejected = watch.event_of(POISONED_VERSION, "rejected")
    if rejected is None:
        view.fail("poison", "no record in model_events says that it was refused")
        return
    reason = rejected["reason"].partition(";")[0]
    view.done("poison", f"model_events says {rejected['event']}: {reason}; version {good.version} goes on scoring")
    # The newest row of the role is the refused one; now the registry says again what scores.
    promote_version(context.registry, good.model, good.version, why="a poisoned version was refused")


def _wait(happened: Callable[[], bool]) -> Iterator[None]:
    deadline = time.monotonic() + PATIENCE_S
    while not happened() and time.monotonic() < deadline:
        yield
