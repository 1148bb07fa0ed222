"""What runs beside the job while things break: the API, and notifiers that call a customer's webhook."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from connectors.postgres.notification_queue import NotificationQueue
from jobs.registry_access import dsn_of
from tests.e2e.notifiers import Notifiers, notifying
from tests.e2e.scoring import Scoring, wait_for
from tests.faults.row import Row
from tests.webhook_receiver import Receiver, receiving

__all__ = ["Alongside"]

NOTIFIERS = 2
CALL_S = 0.01


class Alongside:
    """One API and some notifiers of a running job; what is killed is started again, as a service manager does.

    Use :meth:`running`.
    """

    def __init__(self, scoring: Scoring, receiver: Receiver, notifiers: Notifiers, log: Path) -> None:
        self._scoring, self._receiver, self._notifiers, self._log = scoring, receiver, notifiers, log
        self._api = self._serve()

    @classmethod
    @contextmanager
    def running(cls, scoring: Scoring) -> Iterator[Alongside]:
        """Start all of it; when the block is left, none is left."""
        logs = scoring.stack.home / "logs"
        receiver = Receiver(lambda call: (200, CALL_S, True))
        with (
            receiving(receiver) as url,
            notifying(scoring.local, url, logs / "notify.log", NOTIFIERS) as notifiers,
        ):
            alongside = cls(scoring, receiver, notifiers, logs / "serve.log")
            try:
                yield alongside
            finally:
                alongside._api.kill()
                alongside._api.wait(20)

    def kill(self, which: str, until: Callable[[str, Callable[[], object]], None]) -> float:
        """Kill the ``api`` or a ``notifier``, start another, and return the seconds until it did its work.

        Parameters
        ----------
        which
            What to kill.
        until
            Waits for something that has a name, and says so if it does not come.
        """
        died = time.monotonic()
        if which == "api":
            self._api.kill()
            self._api.wait(20)
            self._api = self._serve()
            until("the API is ready", self.api_ready)
        else:
            calls = len(self._receiver.calls)
            self._notifiers.kill()
            until("alerts are sent", lambda: len(self._receiver.calls) > calls)
        return time.monotonic() - died

    def api_ready(self) -> bool:
        """Whether the API says that it can score."""
        with contextlib.suppress(requests.RequestException), requests.Session() as session:
            session.trust_env = False
            address = f"http://127.0.0.1:{self._scoring.stack.ports.api}/v1/ready"
            return session.get(address, timeout=5).status_code == 200
        return False

    def sent_once(self) -> Row:
        """Wait until nothing is unsent, end the notifiers, and compare what came with the committed alerts."""
        queue = NotificationQueue(dsn_of(self._scoring.settings, "notifier"))
        written = {each["alert_id"] for each in self._scoring.messages("alerts")}
        with contextlib.suppress(AssertionError):  # told by the row
            wait_for("nothing unsent", lambda: written <= set(self._receiver.acted) and not queue.unfinished(), 300)
        queue.close()
        codes = self._notifiers.stop()
        acted, calls = self._receiver.acted, len(self._receiver.calls)
        never = len(written - set(acted))
        result = (
            f"{len(acted):,} acted upon once, {never} never, {len(set(acted) - written)} that are not in the topic; "
            f"{calls:,} calls, {self._notifiers.kills} notifiers killed"
        )
        passed = not (never or set(acted) - written or any(codes))
        return Row("alerts at the customer's webhook", self._notifiers.kills, [], 0, result, passed and bool(acted))

    def _serve(self) -> subprocess.Popen[bytes]:
        port = str(self._scoring.stack.ports.api)
        return self._scoring.local.start("serve", "--port", port, log=self._log, model=self._scoring.model)
