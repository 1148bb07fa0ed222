"""The daemon that keeps a local stack running: ``python -m connectors.local.supervisor``, its plan on standard input.

It starts the components as their dependencies become ready, writes ``stack.json``, starts again what dies, restarts
what a file in ``home/control`` names (``restart-NAME``), does not start what another holds back (``hold-NAME``), adds
or takes away TaskManagers as a third says, and at SIGTERM stops everything in the reverse order. If it is killed, the
kernel kills its components. It reads no environment variable and takes no request from the network.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from connectors.local.component import Component
from connectors.local.process_identity import started_of
from connectors.local.stack_plan import StackPlan
from connectors.local.stack_state import StackState, State
from connectors.local.supervised import Supervised
from connectors.local.undertaker import start_undertaker
from udfs.domain.errors import StackError

__all__ = ["Supervisor", "main"]

GRACE_S = 15.0
_TICK_S = 0.1


class Supervisor:
    """Keeps components running until it is told to stop.

    Parameters
    ----------
    home
        The stack's folder.
    port_base
        Noted in the state for who reads it.
    components
        What to run; ``depends_on`` names others of them.
    task_manager
        Makes a TaskManager of a number that is not among them.
    """

    def __init__(
        self, home: Path, port_base: int, components: Sequence[Component], task_manager: Callable[[int], Component]
    ) -> None:
        self._home, self._stopping, self._was_up = home, False, False
        self._pool = ThreadPoolExecutor(max_workers=max(4, len(components)), thread_name_prefix="component")
        self._mark = f"{home}#{os.getpid()}"
        start_undertaker(self._mark)
        self._all = {each.name: self._supervised(each) for each in components}
        self._task_manager = task_manager
        self._leaving: list[tuple[Supervised, float]] = []
        self._state = StackState("starting", os.getpid(), started_of(os.getpid()), port_base)
        self._state.components = {name: each.view for name, each in self._all.items()}
        self._written = ""

    def run(self) -> int:
        """Run until a signal or, while starting, until a component gives up; return the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self._publish("starting")
        while not self._stopping:
            self._obey_control_files()
            for each in self._all.values():
                each.step()
            self._publish(self._overall())
            if self._state.state == "failed" and not self._was_up:
                break
            time.sleep(_TICK_S)
        gave_up = not self._stopping
        self._stop_all()
        self._publish("failed" if gave_up else "stopped")
        return 2 if gave_up else 0

    def _supervised(self, component: Component) -> Supervised:
        return Supervised(component, self._mark, self._pool, partial(self._waiting_for, component.name))

    def _on_signal(self, number: int, frame: object) -> None:
        self._stopping = True

    def _waiting_for(self, name: str, needs: tuple[str, ...]) -> str:
        if (hold := self._home / "control" / f"hold-{name}").exists():
            return f"{hold} to be removed"
        return ", ".join(name for name in needs if name in self._all and self._all[name].view.state != "ready")

    def _overall(self) -> State:
        states = {each.view.state for each in self._all.values()}
        if "failed" in states:
            return "failed"
        if states == {"ready"}:
            self._was_up = True
            return "ready"
        return "restarting" if self._was_up else "starting"

    def _publish(self, state: State) -> None:
        self._state.state = state
        if (now := repr(self._state)) != self._written:
            self._state.write(self._home)
            self._written = now

    def _obey_control_files(self) -> None:
        for file in (self._home / "control").glob("restart-*"):
            file.unlink(missing_ok=True)
            supervised = self._all.get(file.name.removeprefix("restart-"))
            if supervised is not None:
                supervised.restart()
        for file in (self._home / "control").glob("task-managers-*"):
            file.unlink(missing_ok=True)
            self._scale(int(file.name.removeprefix("task-managers-")))
        for leaving in list(self._leaving):
            if not leaving[0].running or time.monotonic() > leaving[1]:
                leaving[0].kill()
                self._leaving.remove(leaving)

    def _scale(self, count: int) -> None:
        """Have TaskManagers 1 to ``count`` and no others."""
        wanted = {f"taskmanager-{index}": index for index in range(1, count + 1)}
        for name in [name for name in self._all if name.startswith("taskmanager-") and name not in wanted]:
            leaving = self._all.pop(name)
            del self._state.components[name]
            leaving.ask_to_stop()
            self._leaving.append((leaving, time.monotonic() + GRACE_S))
        for name, index in wanted.items():
            if name not in self._all:
                self._all[name] = self._supervised(self._task_manager(index))
                self._state.components[name] = self._all[name].view

    def _stop_all(self) -> None:
        """Stop who nobody running depends on, then the next; kill what takes longer than the grace."""
        asked: dict[str, float] = {}
        while running := {name for name, each in self._all.items() if each.running}:
            needed = {need for name in running for need in self._all[name].component.depends_on}
            for name in running:
                if name not in needed and name not in asked:
                    asked[name] = time.monotonic()
                    self._all[name].view.doing = "stopping"
                    self._all[name].ask_to_stop()
                elif name in asked and time.monotonic() - asked[name] > GRACE_S:
                    self._all[name].kill()
            self._publish(self._state.state)
            time.sleep(_TICK_S / 2)
        self._pool.shutdown(wait=False, cancel_futures=True)
        for each in [*self._all.values(), *(leaving for leaving, _ in self._leaving)]:
            each.kill()  # children that outlived their parent


def main() -> int:
    """Read the plan, take the home's lock, and supervise; exit code 2 means that it could not, or gave up."""
    plan = StackPlan.from_json(sys.stdin.buffer.read())
    with (plan.home / "supervisor.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.stderr.write(f"Another supervisor has the lock of {plan.home}; end it, or choose another WEIR_HOME.\n")
            return 2
        (plan.home / "control").mkdir(exist_ok=True)
        try:
            return Supervisor(plan.home, plan.port_base, plan.components(), plan.task_manager).run()
        except StackError as error:
            sys.stderr.write(f"{error}\n")
            return 2


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # a blocking call that is still under way in the pool must not hold the process back
