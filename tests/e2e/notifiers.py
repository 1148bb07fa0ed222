"""Several ``weir notify`` at once, some of which are killed in mid-call, against a receiver that is no better."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.local import Local
from tests.webhook_receiver import SECRET, Receiver

TIMEOUT_MS = 2_000
SETTINGS = {
    "webhook_secret": SECRET,
    "notify_timeout_ms": str(TIMEOUT_MS),
    "notify_attempts": "40",
    "notify_backoff_ms": "100",
}


def unreliable(call: int) -> tuple[int, float, bool]:
    """Fail one call in three, by turns before and after acting; answer each late, one in 75 after the time-out."""
    if call % 3 == 2:
        return 503, 0.01, call % 2 == 0
    return 200, 2 * TIMEOUT_MS / 1_000 if call % 75 == 0 else 0.02, True


def failed_or_timed_out(receiver: Receiver) -> int:
    """Return how many calls were answered badly or too late, as the receiver did and measured it."""
    late_s = TIMEOUT_MS / 1_000
    return sum(
        status != 200 or max(wait_s, receiver.seconds.get(number, 0.0)) >= late_s
        for number, (_, status, wait_s) in enumerate(receiver.calls)
    )


class Notifiers:
    """Processes on one queue; :meth:`kill` one, another takes its place."""

    def __init__(self, local: Local, url: str, log: Path, count: int) -> None:
        self._local, self._url, self._log = local, url, log
        self.kills = 0
        self._lock = threading.Lock()
        self._running = [self._start() for _ in range(count)]

    def kill(self) -> None:
        """End one by SIGKILL and start another."""
        with self._lock:
            victim = self._running.pop(0)
            assert victim.poll() is None, self._log.read_text()
            victim.kill()
            victim.wait(20)
            self.kills += 1
            self._running.append(self._start())

    def stop(self) -> list[int]:
        """End all as Ctrl-C does; return their exit codes."""
        for process in self._running:
            process.terminate()
        return [process.wait(60) for process in self._running]

    def _start(self) -> subprocess.Popen[bytes]:
        return self._local.start("notify", "--webhook", self._url, log=self._log, **SETTINGS)

    def end(self) -> None:
        for process in self._running:
            if process.poll() is None:
                process.kill()
                process.wait(20)


@contextmanager
def notifying(local: Local, url: str, log: Path, count: int) -> Iterator[Notifiers]:
    """Run so many notifiers while the block runs; none is left after it."""
    notifiers = Notifiers(local, url, log, count)
    try:
        yield notifiers
    finally:
        notifiers.end()
