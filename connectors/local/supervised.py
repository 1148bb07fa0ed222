"""One component on its way: prepared, started when what it needs is ready, polled, set up, begun again if it dies."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future

from connectors.local.component import Component
from connectors.local.restart_policy import RestartPolicy
from connectors.local.running_process import RunningProcess
from connectors.local.stack_state import ComponentState
from udfs.domain.errors import WeirError

__all__ = ["Supervised"]

READY_LIMIT_S = 180.0


class Supervised:
    """The state of one component, moved on by :meth:`step` from the supervisor's main loop.

    ``prepare``, ``ready`` and ``set_up`` run in the pool, because they block; processes are started in the main thread.

    Parameters
    ----------
    component
        What to keep running.
    mark
        What its processes carry, so that leftovers are known.
    pool
        Where blocking calls run.
    waiting_for
        Told what it depends on, it names those of them that are not ready yet.
    """

    def __init__(
        self, component: Component, mark: str, pool: Executor, waiting_for: Callable[[tuple[str, ...]], str]
    ) -> None:
        self.component = component
        self.view = ComponentState("starting", "preparing", 0, 0.0, component.ports, str(component.log))
        self._mark, self._pool, self._waiting_for = mark, pool, waiting_for
        self._policy = RestartPolicy()
        self._process: RunningProcess | None = None
        self._work: Future[bool] | None = self._submit(self._prepare)
        self._next: Callable[[], None] = self._after_prepare
        self._due = 0.0
        self._deadline = 0.0
        self._wanted_dead = False

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.exit_code() is None

    @property
    def idle(self) -> bool:
        """Whether no blocking call is under way."""
        return self._work is None or self._work.done()

    def step(self) -> None:
        """Look at the process and at the work under way, and go one step further; never blocks."""
        if self.view.state == "failed":
            return
        if self._process is not None and (code := self._process.exit_code()) is not None:
            self._died(f"exited with code {code}")
            return
        if self._work is not None and not self._work.done():
            return
        if time.monotonic() >= self._due:
            self._next()

    def restart(self) -> None:
        """Ask the process to stop; it is then started again, and the death is not held against it."""
        if self._process is not None:
            self._wanted_dead = True
            self._process.ask_to_stop()

    def ask_to_stop(self) -> None:
        """Ask the process to stop for good."""
        if self._process is not None:
            self._process.ask_to_stop()

    def kill(self) -> None:
        """Kill what is left of the process."""
        if self._process is not None:
            self._process.kill()
        if self.view.state != "failed":
            self.view.state, self.view.doing = "stopped", ""
        self.view.pid, self.view.pid_started = 0, 0.0

    def _submit(self, call: Callable[[], bool]) -> Future[bool]:
        return self._pool.submit(call)

    def _prepare(self) -> bool:
        self.component.prepare()
        return True

    def _set_up(self) -> bool:
        self.component.set_up()
        return True

    def _after_prepare(self) -> None:
        if not self._result("prepare"):
            return
        waiting_for = self._waiting_for(self.component.depends_on)
        if waiting_for:
            self.view.doing = f"waiting for {waiting_for}"
            return
        try:
            self._process = RunningProcess(self.component.command(), self.component.log, self._mark)
        except (OSError, WeirError) as error:
            self._died(f"could not be started: {error}")
            return
        self.view.pid, self.view.pid_started, self.view.doing = self._process.pid, self._process.started, "starting"
        self._deadline = time.monotonic() + READY_LIMIT_S
        self._poll_ready(0.0)

    def _poll_ready(self, pause_s: float) -> None:
        self._due = time.monotonic() + pause_s
        self._work, self._next = None, self._ask_ready

    def _ask_ready(self) -> None:
        self._work, self._next = self._submit(self.component.ready), self._after_ready

    def _after_ready(self) -> None:
        answers = self._result("ready")
        if self._process is None:
            return  # ready() raised, and that was its death
        if answers:
            self.view.doing = "setting up"
            self._work, self._next = self._submit(self._set_up), self._after_set_up
        elif time.monotonic() > self._deadline:
            self._died(f"did not answer within {READY_LIMIT_S:.0f} s")
        else:
            self._poll_ready(0.25)

    def _after_set_up(self) -> None:
        if self._result("set_up"):
            self.view.state, self.view.doing = "ready", ""
            self._work, self._next = None, _nothing

    def _result(self, step: str) -> bool:
        """Return what the work under way returned; an error in it counts as a death of the component."""
        assert self._work is not None
        error = self._work.exception()
        if error is None:
            return self._work.result()
        text = str(error) if isinstance(error, WeirError) else f"{type(error).__name__}: {error}"
        self._died(f"failed in {step}: {text}")
        return False

    def _died(self, how: str) -> None:
        if self._process is not None:
            self._process.kill()
        self._process = None
        self.view.pid, self.view.pid_started = 0, 0.0
        pause = 0.0 if self._wanted_dead else self._policy.pause_after_death(time.monotonic())
        self._wanted_dead = False
        if pause is None:
            self.view.state, self.view.doing = "failed", ""
            self.view.sentence = f"{self.component.name} {how} once too often; see {self.component.log}{self._tail()}"
            return
        self.view.state, self.view.doing = "restarting", f"{how}; again"
        self.view.sentence = f"{self.component.name} {how} and was started again."
        self.view.restarts += 1
        self._work, self._next = self._submit(self._prepare), self._after_prepare
        self._due = time.monotonic() + pause

    def _tail(self) -> str:
        """Return the end of the log, for a sentence that is read far from the machine."""
        try:
            with self.component.log.open("rb") as file:
                lines = deque((line.decode(errors="replace").strip() for line in file), maxlen=40)
        except OSError:
            return ""
        telling = [line for line in lines if line and not line.startswith("at ")]
        return f" (it ends: {telling[-1][:300]})" if telling else ""


def _nothing() -> None:
    """Take no step: the component is ready and only its process is watched."""
