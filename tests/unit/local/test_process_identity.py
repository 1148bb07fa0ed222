"""A process is known by what no clock moves: a step of it neither hides one that lives nor revives one that does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from connectors.local import process_identity
from connectors.local.leftovers import kill_leftovers
from connectors.local.process_identity import is_alive, started_of
from connectors.local.stack_state import ComponentState, StackState

SLEEP = "import time; time.sleep(60)"


@pytest.fixture
def child():
    process = subprocess.Popen([sys.executable, "-c", SLEEP])
    yield process
    process.kill()
    process.wait()


@pytest.fixture(params=[-3_600, -2, 2, 3_600])
def stepped(request, monkeypatch):
    """The clock was stepped: what is counted from the kernel's ticks with its help moves along."""
    create_time = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: create_time(self) + request.param)


def test_a_process_is_known_by_its_number_and_its_start(child):
    assert is_alive(child.pid, started_of(child.pid))
    assert not is_alive(child.pid, started_of(os.getpid()))
    assert started_of(child.pid) != started_of(os.getpid())


def test_a_running_stack_stays_known_when_the_clock_steps(child, tmp_path, stepped):
    component = ComponentState("ready", "", child.pid, started_of(child.pid), (), "")
    StackState("ready", os.getpid(), started_of(os.getpid()), 19_000, {"kafka": component}).write(tmp_path)
    state = StackState.read(tmp_path)
    assert state is not None
    assert state.alive
    assert is_alive(child.pid, state.components["kafka"].pid_started)


def test_the_leftovers_of_a_dead_supervisor_are_found_after_a_step_and_nobody_else(child, tmp_path, stepped):
    stranger = subprocess.Popen([sys.executable, "-c", SLEEP])
    try:
        left = ComponentState("ready", "", child.pid, started_of(child.pid), (), "")
        reused = ComponentState("ready", "", stranger.pid, "another-boot/1", (), "")
        state = StackState("ready", 1, 0.0, 19_000, {"kafka": left, "s3": reused})
        assert kill_leftovers(tmp_path, state) == 1
        assert not psutil.pid_exists(child.pid)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_dead_process_one_nobody_waited_for_and_one_of_another_start_of_the_machine_are_not_alive(child, monkeypatch):
    started = started_of(child.pid)
    child.kill()
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        pass
    assert not is_alive(child.pid, started)
    child.wait()
    assert not is_alive(child.pid, started)
    assert started_of(child.pid) == 0.0
    mine = started_of(os.getpid())
    monkeypatch.setattr(process_identity, "_boot", lambda: "another")
    assert not is_alive(os.getpid(), mine)


def test_a_file_of_an_older_version_is_still_understood():
    assert is_alive(os.getpid(), psutil.Process().create_time())
    assert not is_alive(os.getpid(), psutil.Process().create_time() - 100)
    assert not is_alive(os.getpid(), 0.0)


@pytest.mark.parametrize("name", ["a) R 1 2 3", "((", "é"])
def test_a_name_with_brackets_moves_no_field(name, tmp_path: Path, monkeypatch):
    fields = ["S", *map(str, range(4, 53))]
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "stat").write_text(f"7 ({name}) {' '.join(fields)}\n", encoding="utf-8")
    monkeypatch.setattr(process_identity, "_PROC", tmp_path)
    assert started_of(7) == "unknown/22"
