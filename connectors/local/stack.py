"""The local stack from outside: up, down, status, restart of one component; the supervisor does the work."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from connectors.local.flink import flink_environment
from connectors.local.flink_home import TASKMANAGER_MEMORY_MB
from connectors.local.jars import Jars
from connectors.local.leftovers import kill_leftovers
from connectors.local.port_check import check_ports
from connectors.local.ports import Ports
from connectors.local.proportional_mb import proportional_mb
from connectors.local.stack_home import StackHome
from connectors.local.stack_plan import COMPONENTS, StackPlan
from connectors.local.stack_state import StackState
from udfs.domain.errors import StackError

__all__ = ["LocalStack"]

_STOP_LIMIT_S = 60.0


class LocalStack:
    """A stack on this machine, in one folder.

    Parameters
    ----------
    home
        Data, logs and state.
    cache
        Downloaded archives, shared by stacks.
    port_base
        First of its hundred ports.
    postgres_password
        Of the superuser ``weir``.
    s3_access_key, s3_secret_key
        The key pair of the S3 endpoint.
    task_managers
        How many TaskManagers, one slot each.
    only
        Which components; all by default.
    prometheus, rocksdb, optimizing_compiler
        Whether Flink offers its metrics; whether TaskManagers have memory for RocksDB; whether they compile with C2.
    taskmanager_memory_mb
        Of each TaskManager's process, without what RocksDB gets, in MiB.
    """

    def __init__(
        self,
        home: Path,
        cache: Path,
        port_base: int,
        postgres_password: str,
        s3_access_key: str,
        s3_secret_key: str,
        task_managers: int = 2,
        only: tuple[str, ...] = COMPONENTS,
        prometheus: bool = False,
        rocksdb: bool = False,
        optimizing_compiler: bool = False,
        taskmanager_memory_mb: int = TASKMANAGER_MEMORY_MB,
    ) -> None:
        self._home = StackHome(home)
        where, keys = (self._home.path, cache.absolute(), port_base), (s3_access_key, s3_secret_key)
        options = (prometheus, rocksdb, optimizing_compiler)
        self._plan = StackPlan(*where, postgres_password, *keys, task_managers, only, *options, taskmanager_memory_mb)

    @property
    def home(self) -> Path:
        """The stack's folder, absolute."""
        return self._home.path

    @property
    def ports(self) -> Ports:
        """Its ports and addresses."""
        return self._plan.ports

    def status(self) -> StackState | None:
        """Return what the supervisor last said, all components stopped if it is gone; None if there never was one."""
        state = StackState.read(self.home)
        if state is not None and not state.alive:
            if state.state != "failed":
                state.state = "stopped"
            for each in state.components.values():
                each.state, each.doing = ("failed" if each.state == "failed" else "stopped"), ""
                each.pid, each.pid_started = 0, 0.0
        return state

    def fetch(self, progress: Callable[[str, int, int], None] | None = None) -> None:
        """Download the archives that are missing; see :meth:`connectors.local.jars.Jars.fetch`."""
        Jars(self._plan.cache).fetch(progress)

    def up(self, progress: Callable[[StackState], None] | None = None) -> bool:
        """Start the stack and wait until every component is ready; fetch its archives first.

        Parameters
        ----------
        progress
            Called several times a second with the state.

        Returns
        -------
        bool
            False if it was running already.

        Raises
        ------
        StackError
            If a port is taken or a component gives up; then what was started is stopped again.
        """
        if self._running() is None:
            self._home.create()
        with (self.home / "up.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # of two at the same time the second follows the first
            if self._running() is not None:
                fcntl.flock(lock, fcntl.LOCK_UN)
                self._follow(None, progress)
                return False
            kill_leftovers(self.home, StackState.read(self.home))
            check_ports(self._plan.components())
            self.fetch()
            supervisor = self._start_supervisor()
            try:
                self._await_state(supervisor)
                fcntl.flock(lock, fcntl.LOCK_UN)
                self._follow(supervisor, progress)
            except BaseException:
                supervisor.send_signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    supervisor.wait(_STOP_LIMIT_S)
                raise
        return True

    def down(self, *, purge: bool = False, progress: Callable[[StackState], None] | None = None) -> bool:
        """Stop the stack, in the reverse order of its start.

        Parameters
        ----------
        purge
            Also remove the home and all data.
        progress
            Called several times a second with the state.

        Returns
        -------
        bool
            Whether it was running.

        Raises
        ------
        StackError
            If the supervisor does not end, or the folder is not a home of Weir.
        """
        state = self._running()
        if state is not None:
            os.kill(state.pid, signal.SIGTERM)
            deadline = time.monotonic() + _STOP_LIMIT_S
            while state.alive and time.monotonic() < deadline:
                self._report(progress)
                time.sleep(0.1)
            if state.alive:
                os.kill(state.pid, signal.SIGKILL)
        if self._home.marked:
            kill_leftovers(self.home, StackState.read(self.home))
        if purge:
            self._purge()
        return state is not None

    def restart(self, name: str, timeout_s: float = 120.0) -> None:
        """Stop one component and wait until its successor is ready.

        Parameters
        ----------
        name
            For example ``taskmanager-1``.
        timeout_s
            Seconds until the successor must be ready.

        Raises
        ------
        StackError
            If the stack is not running, has no such component, or it does not come back.
        """
        state = self._running()
        if state is None or name not in state.components:
            known = ", ".join(state.components) if state is not None else "none, it is not running"
            msg = f"The stack has no component {name!r} to restart; it has: {known}."
            raise StackError(msg)
        before, deadline = state.components[name].pid, time.monotonic() + timeout_s
        (self.home / "control" / f"restart-{name}").touch()
        while time.monotonic() < deadline:
            now = self.status()
            component = now.components[name] if now is not None else None
            if component is not None and component.state == "ready" and component.pid != before:
                return
            if component is None or component.state in ("failed", "stopped"):
                break
            time.sleep(0.1)
        msg = f"{name} was not ready {timeout_s:.0f} s after its restart; see {state.components[name].log}."
        raise StackError(msg)

    def memory_mb(self) -> dict[str, float]:
        """Return the memory of each component with its children, and of the supervisor, in MB (10**6).

        A page that several processes share (PostgreSQL's buffers, libraries) is divided among them: the parts add up to
        what the machine gave. Where the kernel does not tell (another user's process), resident memory stands for it.
        """
        state = self._running()
        if state is None:
            return {}
        pids = {"supervisor": state.pid} | {name: each.pid for name, each in state.components.items() if each.pid}
        return {name: proportional_mb(pid, children=name != "supervisor") for name, pid in pids.items()}

    def flink_environment(self) -> tuple[Path, dict[str, str], Path]:
        """Return the program ``flink``, its environment and an empty folder to start it in, for ``flink run``."""
        return flink_environment(self._plan.flink_home())

    def _running(self) -> StackState | None:
        state = StackState.read(self.home)
        return state if state is not None and state.alive else None

    def _start_supervisor(self) -> subprocess.Popen[bytes]:
        """Start the daemon in a session of its own; the plan goes through a pipe, because it holds passwords."""
        source = str(Path(__file__).parents[2])
        environment = {
            **{key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "USER", "LANG", "TMPDIR")},
            "PYTHONPATH": source,
        }
        with (self.home / "logs" / "supervisor.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "connectors.local.supervisor"],
                cwd=self.home,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(self._plan.to_json())
            process.stdin.close()
        return process

    def _await_state(self, supervisor: subprocess.Popen[bytes]) -> None:
        """Wait until the new supervisor has written its first state; from then on others find it there."""
        while (state := StackState.read(self.home)) is None or state.pid != supervisor.pid:
            if (code := supervisor.poll()) is not None:
                msg = f"The supervisor ended with code {code}; see {self.home / 'logs' / 'supervisor.log'}."
                raise StackError(msg)
            time.sleep(0.05)

    def _follow(
        self, supervisor: subprocess.Popen[bytes] | None, progress: Callable[[StackState], None] | None
    ) -> None:
        """Wait until the stack is ready or failed."""
        while True:
            if supervisor is not None:
                supervisor.poll()  # takes the exit code of one that ended
            state = self._report(progress)
            if state is None or state.state in ("failed", "stopped"):
                raise StackError(self._why(state))
            if state.state == "ready":
                return
            time.sleep(0.1)

    def _why(self, state: StackState | None) -> str:
        sentences = state.failures() if state is not None else []
        if sentences:
            return f"{' '.join(sentences)}. After mending it: `weir down`, `weir up`."
        return f"The stack was stopped while it started; see {self.home / 'logs' / 'supervisor.log'}."

    def _report(self, progress: Callable[[StackState], None] | None) -> StackState | None:
        state = self.status()
        if state is not None and progress is not None:
            progress(state)
        return state

    def _purge(self) -> None:
        """Remove the home, and what a component keeps elsewhere (PostgreSQL, where root's folders are closed to it)."""
        if self._home.marked:
            for component in self._plan.components():
                remove = getattr(component, "purge", None)
                if remove is not None:
                    remove()
        self._home.remove()
