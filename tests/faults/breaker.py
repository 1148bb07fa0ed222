"""Breaks parts of a running stack and waits until all is well again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import requests

from connectors.connect import connector_state
from tests.e2e.scoring import Scoring
from tests.faults.alongside import Alongside
from udfs.domain.errors import WeirError

__all__ = ["Breaker", "Broken", "NotPossible"]

PATIENCE_S = 240.0
TMPFS_MB = 400


class Broken(Exception):
    """Something did not come back in time."""


class NotPossible(Exception):
    """This machine does not let the fault be made; the text says why."""


class Breaker:
    """Faults, one method each; each returns the seconds from the fault's end until all was well.

    Parameters
    ----------
    scoring
        A job that runs under load.
    alongside
        The API and the notifiers beside it.
    """

    def __init__(self, scoring: Scoring, alongside: Alongside) -> None:
        self._alongside = alongside
        self._scoring, self._stack = scoring, scoring.stack
        self._probe = 0
        self._turn = 0

    def kill(self, component: str) -> float:
        """Kill a component, the API or a notifier with SIGKILL."""
        if component in ("api", "notifier"):
            return self._alongside.kill(component, self._until)
        if component == "taskmanager":  # in turns: each has its own count of deaths with the supervisor
            workers = self._scoring.workers()
            self._turn += 1
            component = workers[self._turn % len(workers)]
        died_ms = _now_ms()
        before = self._signal(component)
        self._until(f"{component} is there again", lambda: self._ready(component, before))
        self._all_is_well(component, died_ms)
        return (_now_ms() - died_ms) / 1_000

    def down(self, component: str, seconds: float) -> float:
        """Kill a component and keep it from coming back for so long."""
        hold = self._stack.home / "control" / f"hold-{component}"
        hold.touch()
        before = self._signal(component)
        with self._holding(hold):
            half_ms = _now_ms() + int(seconds * 500)
            time.sleep(seconds)
            if component != "kafka" and not self._checkpoint_since(half_ms):
                msg = f"the job took no checkpoint while {component} was away"
                raise Broken(msg)
        back_ms = _now_ms()
        self._until(f"{component} is there again", lambda: self._ready(component, before))
        self._all_is_well(component, back_ms)
        return (_now_ms() - back_ms) / 1_000

    def full(self) -> float:
        """Fill the disk of the checkpoints, and free it when some have failed."""
        folder = self._stack.home / "flink" / "checkpoints"
        if not os.path.ismount(folder):
            msg = "the checkpoints have no small disk of their own (see the line of the mount)"
            raise NotPossible(msg)
        failed = self._failed_checkpoints()
        ballast = folder / "ballast"
        try:
            with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(bytes(1 << 20))
            self._until("checkpoints fail", lambda: self._failed_checkpoints() >= failed + 2)
            if self._scoring.flink.state(self._scoring.job_id) != "RUNNING":
                msg = "the job does not run while its checkpoints fail"
                raise Broken(msg)
        finally:
            ballast.unlink(missing_ok=True)
        freed_ms = _now_ms()
        self._all_is_well("", freed_ms)
        return (_now_ms() - freed_ms) / 1_000

    def lose_slot(self) -> float:
        """Drop Debezium's replication slot while Connect is away, and write rows that no slot has kept."""
        hold = self._stack.home / "control" / "hold-connect"
        hold.touch()
        before = self._signal("connect")
        with self._holding(hold), psycopg.connect(self._scoring.dsn, autocommit=True) as connection:
            dropped = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active"
            self._until("the slot is dropped", lambda: connection.execute(dropped).fetchall())
            self._registry_comes_through()
        back_ms = _now_ms()
        self._until("connect is there again", lambda: self._ready("connect", before))
        self._all_is_well("connect", back_ms)
        if f"probe-{self._probe - 1}" not in {each["version"] for each in self._scoring.model_events("activated")}:
            msg = "the row written while there was no slot did not come"
            raise Broken(msg)
        return (_now_ms() - back_ms) / 1_000

    def _all_is_well(self, component: str, since_ms: int) -> None:
        """A checkpoint that began after the fault is complete; what else the component does, it does again."""
        self._until("a checkpoint is complete", lambda: self._checkpoint_since(since_ms))
        if component in ("connect", "postgres", "kafka"):
            self._until("the connector runs", self._connector_runs)
            self._until("a row of the registry comes through", self._registry_comes_through(), pause_s=0.2)
        if component in ("mlflow", "postgres", "s3"):
            self._until("MLflow answers from its tables", self._mlflow_answers)

    def _registry_comes_through(self) -> Callable[[], bool]:
        """Activate a challenger by a row; it is there when the gate has said so in a committed record."""
        scoring = self._scoring
        (champion,) = (each for each in scoring.store.deployments(scoring.model) if each.role == "champion")
        self._probe += 1
        version = f"probe-{self._probe}"
        scoring.store.activate(scoring.model, version, champion.digest, role="probe", who="faults", why="probe")
        return lambda: any(each["version"] == version for each in scoring.model_events("activated"))

    def _connector_runs(self) -> bool:
        with contextlib.suppress(WeirError):
            return connector_state(self._stack.ports.addresses()["connect"]) == "RUNNING"
        return False

    def _mlflow_answers(self) -> bool:
        url = f"{self._stack.ports.addresses()['mlflow']}/api/2.0/mlflow/registered-models/search"
        with contextlib.suppress(requests.RequestException), requests.Session() as session:
            session.trust_env = False
            return session.get(url, timeout=5).status_code == 200
        return False

    def _checkpoint_since(self, since_ms: int) -> bool:
        with contextlib.suppress(WeirError, KeyError):
            latest = self._scoring.flink.checkpoints(self._scoring.job_id)["latest"]["completed"]
            running = self._scoring.flink.all_run(self._scoring.job_id)
            return running and latest is not None and latest["trigger_timestamp"] > since_ms
        return False

    def _failed_checkpoints(self) -> int:
        return int(self._scoring.flink.checkpoints(self._scoring.job_id)["counts"]["failed"])

    def _signal(self, component: str) -> int:
        state = self._stack.status()
        assert state is not None
        pid = state.components[component].pid
        assert pid, f"{component} does not run: {state.components[component]}"
        os.killpg(pid, signal.SIGKILL)
        return pid

    def _ready(self, component: str, before: int) -> bool:
        state = self._stack.status()
        assert state is not None
        now = state.components[component]
        if now.state == "failed":
            raise Broken(now.sentence)
        return now.state == "ready" and now.pid != before

    def _until(self, what: str, done: Callable[[], object], pause_s: float = 0.2) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not done():
            if time.monotonic() > deadline:
                msg = f"waited {PATIENCE_S:.0f} s in vain until {what}; {self._trouble()}"
                raise Broken(msg)
            time.sleep(pause_s)

    def _trouble(self) -> str:
        with contextlib.suppress(WeirError):
            found = self._scoring.trouble()
            return " ".join(found[0].split())[:400] if found else "the job reports no exception"
        return "Flink does not answer"

    @contextlib.contextmanager
    def _holding(self, hold: Path) -> Iterator[None]:
        try:
            yield
        finally:
            hold.unlink(missing_ok=True)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[str]:
    """Give a folder a small disk of its own while the block runs; yields why not where it cannot."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_MB}m", "weir-faults", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        yield "" if mounted.returncode == 0 else " ".join(mounted.stderr.split()) or "mount was refused"
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", "--lazy", str(folder)], check=False)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
