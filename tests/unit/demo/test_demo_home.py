"""Which data a demo removes: what a demo left, and nothing else."""

from __future__ import annotations

import os

import orjson
import psutil
import pytest

from connectors.local.stack_home import StackHome
from connectors.local.stack_state import StackState
from jobs.demo import demo_home
from jobs.demo.demo_home import DemoHome
from udfs.domain.errors import StackError


class Stack:
    """A stack that has a home and no processes."""

    def __init__(self, home):
        self.home, self.purged = home, False

    def down(self, *, purge=False):
        self.purged = purge
        StackHome(self.home).remove()
        return False

    def status(self):
        return StackState.read(self.home)


@pytest.fixture
def stack(tmp_path):
    return Stack(tmp_path / "home")


def supervised(stack, started: float = 0.0) -> StackState:
    """Write the state of a supervisor: this process, which lives, or one that started at another time."""
    me = psutil.Process()
    state = StackState("ready", me.pid, started or me.create_time(), 19_000)
    state.write(stack.home)
    return state


def test_a_new_home_is_marked_as_the_demos(stack):
    assert DemoHome(stack).make_room() is True
    assert (stack.home / "demo" / "demo.json").exists()
    assert StackHome(stack.home).marked


def test_what_the_last_demo_left_is_removed_and_said_so(stack):
    first = DemoHome(stack)
    first.make_room()
    first.note(supervised(stack))
    (stack.home / "kafka").mkdir()
    told = []
    assert DemoHome(stack).make_room(told.append) is True
    assert stack.purged
    assert told == [f"removing what the last demo left in {stack.home}"]
    assert not (stack.home / "kafka").exists()


def test_a_demo_that_was_cut_off_before_its_stack_started_is_removed(stack):
    DemoHome(stack).make_room()
    assert DemoHome(stack).make_room() is True
    assert stack.purged


def test_a_home_that_was_started_again_since_the_demo_is_left_alone(stack):
    first = DemoHome(stack)
    first.make_room()
    first.note(supervised(stack))
    supervised(stack, started=1.0)
    assert DemoHome(stack).make_room() is False
    assert not stack.purged


def test_a_home_that_no_demo_made_is_left_alone(stack):
    StackHome(stack.home).create()
    assert DemoHome(stack).make_room() is False
    assert not stack.purged
    assert not (stack.home / "demo").exists()


def test_a_demo_that_runs_is_not_disturbed(stack):
    DemoHome(stack).make_room()
    parent = psutil.Process(os.getppid())
    marker = {"process": [parent.pid, parent.create_time()], "supervisor": None}
    (stack.home / "demo" / "demo.json").write_bytes(orjson.dumps(marker))
    with pytest.raises(StackError, match=rf"A demo runs in .*process {parent.pid}\)"):
        DemoHome(stack).make_room()
    assert not stack.purged


def test_an_empty_stack_becomes_the_demos_and_one_with_data_does_not(stack, monkeypatch):
    StackHome(stack.home).create()
    supervised(stack)
    monkeypatch.setattr(demo_home, "end_offsets", lambda *_, **__: {0: 0, 1: 17})
    with pytest.raises(StackError, match=r"holds data that are not a demo's \(topics transactions, truths"):
        DemoHome(stack).adopt("nowhere:1")
    assert not (stack.home / "demo").exists()
    monkeypatch.setattr(demo_home, "end_offsets", lambda *_, **__: {0: 0, 1: 0})
    DemoHome(stack).adopt("nowhere:1")
    assert DemoHome(stack).make_room() is True
    assert stack.purged
