"""Takes alerts in and sends them, one call at a time, until it is told to stop; outages of its servers it sits out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_when_event_set, wait_exponential

from connectors.postgres.notification_queue import ClaimedAlert, NotificationQueue
from connectors.webhook.webhook import Webhook
from jobs.notifying.alert_intake import AlertIntake
from jobs.notifying.backoff import backoff_s
from udfs.domain.errors import ConnectionLostError

__all__ = ["Notified", "Notifier"]

LEASE_MARGIN_MS = 10_000
"""Beyond two time-outs (to connect, to answer): a lease never ends while its call is still under way."""
TAKE_EVERY_S = 0.2
IDLE_S = 0.5
LONGEST_PAUSE_S = 15.0
T = TypeVar("T")


@dataclass(slots=True)
class Notified:
    """What a notifier did.

    Parameters
    ----------
    queued
        Alerts that were new.
    unreadable
        Records of the topic that are no alert.
    calls, sent, failed
        Calls of the webhook, and how they ended.
    dead
        Alerts given up after their last attempt.
    """

    queued: int = 0
    unreadable: int = 0
    calls: int = 0
    sent: int = 0
    failed: int = 0
    dead: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return it as ``weir notify --json`` prints it, without the state of the queue."""
        return asdict(self)


class Notifier:
    """The loop of ``weir notify``; several processes may run it on one queue.

    One call is under way at a time, so a crash repeats at most one delivery; more throughput is more processes.

    Parameters
    ----------
    queue, intake, webhook
        Where alerts wait, come from and go.
    timeout_ms
        Of a call.
    attempts
        Calls per alert.
    backoff_ms
        Longest wait before the second call.
    daily_budget
        Alerts begun a day; 0 for no limit.
    tell
        Is given a sentence when an alert dies or a server is away.
    """

    def __init__(
        self,
        queue: NotificationQueue,
        intake: AlertIntake,
        webhook: Webhook,
        *,
        timeout_ms: int,
        attempts: int,
        backoff_ms: int,
        daily_budget: int = 0,
        tell: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self._queue, self._intake, self._webhook = queue, intake, webhook
        self._lease_ms = 2 * timeout_ms + LEASE_MARGIN_MS
        self._attempts, self._backoff_ms, self._budget = attempts, backoff_ms, daily_budget
        self._tell = tell
        self._take_at = 0.0
        self.done = Notified()

    def run(self, stop: threading.Event, *, until_empty: bool, progress: Callable[[Notified], None]) -> Notified:
        """Work until ``stop`` is set, or, with ``until_empty``, until all alerts there are have been sent or are dead.

        Raises
        ------
        ConnectionLostError
            If a server is still away when it is told to stop.
        """
        while not stop.is_set():
            self._take(stop, wait_s=0.0)
            alert = self._patiently(stop, lambda: self._queue.claim(self._lease_ms, self._budget))
            if alert is not None:
                self._send(alert, stop)
                progress(self.done)
                continue
            if until_empty and self._empty(stop):
                break
            self._take(stop, wait_s=IDLE_S)
        return self.done

    def _send(self, alert: ClaimedAlert, stop: threading.Event) -> None:
        outcome = self._webhook.deliver(alert.alert_id, alert.payload)
        self.done.calls += 1
        if outcome.taken:
            self.done.sent += 1
            self._patiently(stop, lambda: self._queue.mark_sent(alert))
            return
        self.done.failed += 1
        dead = alert.attempts >= self._attempts
        # What the receiver asks for can only make the wait longer: Retry-After: 0 would be twenty calls in a second.
        wait_s = max(backoff_s(alert.attempts, self._backoff_ms / 1_000), outcome.retry_after_s or 0.0)
        wait_ms = round(wait_s * 1_000)
        held = self._patiently(stop, lambda: self._queue.mark_failed(alert, outcome.error, wait_ms, dead=dead))
        if dead and held:
            self.done.dead += 1
            self._tell(f"alert {alert.alert_id[:12]} is given up after {alert.attempts} calls: {outcome.error}")

    def _take(self, stop: threading.Event, wait_s: float) -> None:
        """Queue what has come; while Kafka is away, what is queued is still sent."""
        now = time.monotonic()
        if now < self._take_at:
            if wait_s:
                stop.wait(min(wait_s, self._take_at - now))
            return
        try:
            self.done.queued += self._intake.take(wait_s)
            if self._intake.unreadable > self.done.unreadable:
                self.done.unreadable = self._intake.unreadable
                self._tell(f"{self.done.unreadable} records of the topic alerts are no alerts and are not sent")
            self._take_at = time.monotonic() + (0.0 if wait_s else TAKE_EVERY_S)
        except ConnectionLostError as error:
            self._tell(f"no new alerts are taken in for now: {error}")
            self._take_at = time.monotonic() + LONGEST_PAUSE_S

    def _empty(self, stop: threading.Event) -> bool:
        unfinished = self._patiently(stop, lambda: self._queue.unfinished(self._budget))
        return unfinished == 0 and self._intake.behind() == 0

    def _patiently(self, stop: threading.Event, call: Callable[[], T]) -> T:
        """Call the database until it answers; once, when told to stop."""
        retrying = Retrying(
            retry=retry_if_exception_type(ConnectionLostError),
            wait=wait_exponential(multiplier=0.25, max=LONGEST_PAUSE_S),
            stop=stop_when_event_set(stop),
            sleep=lambda seconds: _rest(stop, seconds),
            before_sleep=self._tell_of_outage,
            reraise=True,
        )
        return retrying(call)

    def _tell_of_outage(self, state: RetryCallState) -> None:
        if state.attempt_number == 1 and state.outcome is not None:
            self._tell(f"waiting: {state.outcome.exception()}")


def _rest(stop: threading.Event, seconds: float) -> None:
    stop.wait(seconds)
