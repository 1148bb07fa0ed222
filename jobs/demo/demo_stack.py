"""The stack while a demo runs: up before it, and whatever happens, as it was before or kept up after it."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from connectors.local.stack import LocalStack
from connectors.local.stack_state import StackState
from jobs.demo.demo_home import DemoHome
from jobs.demo.demo_view import DemoView
from jobs.submission import running_job
from udfs.domain.errors import JobError

__all__ = ["demo_stack"]


@contextmanager
def demo_stack(stack: LocalStack, home: DemoHome, view: DemoView, *, keep: bool) -> Iterator[bool]:
    """Have the stack up while the block runs; afterwards it is as it was before, or up if that is wanted.

    Parameters
    ----------
    stack
        The local stack.
    home
        Its home, of which data that are not a demo's are never touched.
    view
        Where to tell what is being done.
    keep
        Leave it up if the block came to its end.

    Yields
    ------
    bool
        Whether it ran before.

    Raises
    ------
    StackError, JobError
        When a component fails, the home holds data that are not a demo's, or a job runs there.
    """
    view.tell("stack", "making room")
    ours = home.make_room(lambda sentence: view.tell("stack", sentence, news=True))
    state = stack.status()
    ran_before = state is not None and state.alive
    begun, finished = time.monotonic(), False
    with _signals_interrupt():
        try:
            _up(stack, home, view, ours=ours)
            view.done("stack", f"Kafka, PostgreSQL, Connect, S3, MLflow and Flink are up in {stack.home}")
            yield ran_before
            finished = True
        finally:
            if not ran_before and not (keep and finished):
                _down(stack, view)
            elif finished:
                view.done("end", f"the stack still runs, the whole demo took {time.monotonic() - begun:.0f} s")


def _up(stack: LocalStack, home: DemoHome, view: DemoView, *, ours: bool) -> None:
    def fetching(name: str, done: int, total: int) -> None:
        view.tell("stack", f"downloading {name}: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB", done / max(total, 1))

    def starting(state: StackState) -> None:
        if ours:
            home.note(state)
        ready = [name for name, each in state.components.items() if each.state == "ready"]
        rest = [f"{name} {each.doing}".strip() for name, each in state.components.items() if each.state != "ready"]
        view.tell("stack", f"{len(ready)} of {len(state.components)} ready" + (f": {', '.join(rest)}" if rest else ""))

    stack.fetch(fetching)
    stack.up(starting)
    if not ours:
        home.adopt(stack.ports.addresses()["kafka"])
        job = running_job(stack)
        if job is not None:
            msg = (
                f"A job runs in {stack.home} already ({job}); the demo submits its own. Stop it first with: weir stop."
            )
            raise JobError(msg)


def _down(stack: LocalStack, view: DemoView) -> None:
    # A second Ctrl-C must not leave half a stack behind.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        view.tell("end", "stopping the stack")
        stack.down()
        view.done("end", "the stack is stopped, its data are kept")
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Take SIGTERM and SIGHUP for Ctrl-C, so that they stop the stack, too."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
