"""What runs when a demo has ended: what ran before it, or what it was told to keep, and nothing else."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest

from connectors.local.stack_state import StackState
from jobs.demo import demo_stack as module
from jobs.demo.demo_stack import demo_stack
from udfs.domain.errors import JobError, StackError

VIEW = SimpleNamespace(tell=lambda *_, **__: None, done=lambda *_: None)


class Stack:
    def __init__(self, *, running: bool = False) -> None:
        self.home, self.running, self.began_running = Path("home"), running, running
        self.ports = SimpleNamespace(addresses=lambda: {"kafka": "nowhere:1"})

    def status(self):
        return StackState("ready", os.getpid(), 0.0, 1) if not self.running else SimpleNamespace(alive=True)

    def fetch(self, progress):
        progress("kafka", 5, 10)

    def up(self, progress):
        self.running = True
        progress(StackState("ready", os.getpid(), 0.0, 1))

    def down(self):
        self.running = False


class Home:
    def __init__(self, *, ours: bool = True, full: bool = False) -> None:
        self.ours, self.full, self.adopted = ours, full, False

    def make_room(self, told):
        return self.ours

    def note(self, state):
        pass

    def adopt(self, bootstrap):
        if self.full:
            raise StackError("it holds data")
        self.adopted = True


@pytest.fixture(autouse=True)
def no_job(monkeypatch):
    monkeypatch.setattr(module, "running_job", lambda stack: None)


@pytest.mark.parametrize(("keep", "running"), [(False, False), (True, True)])
def test_a_stack_the_demo_started_is_stopped_unless_it_is_to_be_kept(keep, running):
    stack = Stack()
    with demo_stack(stack, Home(), VIEW, keep=keep) as ran_before:
        assert stack.running
        assert not ran_before
    assert stack.running is running


@pytest.mark.parametrize("error", [StackError("dead"), KeyboardInterrupt()])
def test_a_demo_that_fails_keeps_nothing(error):
    stack = Stack()
    with pytest.raises(type(error)), demo_stack(stack, Home(), VIEW, keep=True):
        raise error
    assert not stack.running


def test_a_stack_that_ran_before_goes_on():
    stack, home = Stack(running=True), Home(ours=False)
    with demo_stack(stack, home, VIEW, keep=False) as ran_before:
        assert ran_before
    assert stack.running
    assert home.adopted


@pytest.mark.parametrize("running", [True, False])
def test_a_home_with_data_is_left_as_it_was(running):
    stack = Stack(running=running)
    with pytest.raises(StackError), demo_stack(stack, Home(ours=False, full=True), VIEW, keep=False):
        pytest.fail("it must not come so far")
    assert stack.running is running


def test_a_job_that_runs_is_not_touched_and_its_home_stays_its_owners(monkeypatch):
    monkeypatch.setattr(module, "running_job", lambda stack: "abc")
    stack, home = Stack(running=True), Home(ours=False)
    with pytest.raises(JobError, match="A job runs in home already"), demo_stack(stack, home, VIEW, keep=False):
        pytest.fail("it must not come so far")
    assert stack.running
    assert not home.adopted


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_stops_the_stack_and_handlers_are_as_before(number):
    stack, before = Stack(), signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), demo_stack(stack, Home(), VIEW, keep=True):
        signal.raise_signal(number)
    assert not stack.running
    assert signal.getsignal(number) is before
