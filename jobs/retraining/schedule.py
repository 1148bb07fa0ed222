"""Runs a round again and again: every so often, or whenever enough new truths are in the tables. APScheduler keeps time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_SUBMITTED
from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.interval import IntervalTrigger

from udfs.domain.errors import WeirError

__all__ = ["Schedule"]


class Schedule:
    """A round, repeated until Ctrl-C; one that fails for a reason a person can mend is told, and the next one tries again.

    Parameters
    ----------
    round_
        What to run.
    say
        Called with the error of a round that failed.
    """

    def __init__(self, round_: Callable[[], None], say: Callable[[WeirError], None]) -> None:
        self._round, self._say = round_, say

    def every(self, interval_ms: int) -> None:
        """Run now and then every ``interval_ms``; a round that takes longer than that delays the next.

        Raises
        ------
        KeyboardInterrupt
            When it is ended.
        """
        self._run(self._told, interval_ms)

    def each_labels(self, wanted: int, count: Callable[[], int], known: int, poll_ms: int = 30_000) -> None:
        """Run whenever ``count()`` has grown by ``wanted`` since the last round, looked at every ``poll_ms``.

        Parameters
        ----------
        known
            The count that the newest version has learned from.

        Raises
        ------
        KeyboardInterrupt
            When it is ended.
        """
        seen = known

        def look() -> None:
            nonlocal seen
            now = count()
            if now - seen >= wanted:
                self._round()
                seen = now

        self._run(lambda: self._told(look), poll_ms)

    def _told(self, work: Callable[[], None] | None = None) -> None:
        try:
            (work or self._round)()
        except WeirError as error:
            self._say(error)

    def _run(self, work: Callable[[], None], interval_ms: int) -> None:
        # What a round raises is raised from here, not logged.
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
        # In this thread: Ctrl-C then ends a round at once, and nothing is left running behind it.
        scheduler = BlockingScheduler(timezone=UTC, executors={"default": DebugExecutor()})
        failed: list[BaseException] = []

        scheduler.add_listener(lambda event: failed.append(event.exception), EVENT_JOB_ERROR)
        # Told when the scheduler is done with the job it just ran: then it can be ended.
        scheduler.add_listener(lambda _: scheduler.shutdown(wait=False) if failed else None, EVENT_JOB_SUBMITTED)
        trigger = IntervalTrigger(seconds=max(1, round(interval_ms / 1_000)), timezone=UTC)
        scheduler.add_job(work, trigger, next_run_time=datetime.now(UTC), coalesce=True, misfire_grace_time=None)
        scheduler.start()
        if failed:
            raise failed[0]
