from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from connectors.local.component import Command
from connectors.local.leftovers import kill_marked
from connectors.local.process_identity import is_alive
from connectors.local.supervised import Supervised

SLEEP = "import time; time.sleep(60)"


@dataclass
class FakeComponent:
    """A component whose process is a line of Python."""

    folder: Path
    program: str = SLEEP
    name: str = "fake"
    depends_on: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    calls: list[str] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.folder / "fake.log"

    def prepare(self) -> None:
        self.calls.append("prepare")

    def command(self) -> Command:
        self.calls.append("command")
        return Command((sys.executable, "-S", "-c", self.program), self.folder, {"PATH": os.environ["PATH"]})

    def ready(self) -> bool:
        self.calls.append("ready")
        return True

    def set_up(self) -> None:
        self.calls.append("set_up")


def step_until(each: Supervised, condition: Callable[[], bool], limit_s: float = 20.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, each.view
        each.step()
        time.sleep(0.01)


@pytest.fixture
def mark(tmp_path: Path) -> str:
    """Return a mark of this test alone: others run beside it, and processes are found machine-wide."""
    return f"{tmp_path}#1"


@pytest.fixture
def supervise(mark: str) -> Iterator[Callable[..., Supervised]]:
    pool, made = ThreadPoolExecutor(2), []

    def make(component: FakeComponent, waiting_for: Callable[[tuple[str, ...]], str] = lambda _: "") -> Supervised:
        made.append(Supervised(component, mark, pool, waiting_for))
        return made[-1]

    yield make
    for each in made:
        each.kill()
    pool.shutdown()


def test_a_component_is_prepared_started_asked_and_set_up_in_this_order(
    tmp_path: Path, supervise: Callable[..., Supervised]
) -> None:
    component = FakeComponent(tmp_path)
    each = supervise(component)
    step_until(each, lambda: each.view.state == "ready")
    assert component.calls == ["prepare", "command", "ready", "set_up"]
    assert is_alive(each.view.pid, each.view.pid_started)


def test_a_component_waits_for_what_it_depends_on_and_says_for_whom(
    tmp_path: Path, supervise: Callable[..., Supervised]
) -> None:
    needed = ["database"]
    each = supervise(FakeComponent(tmp_path, depends_on=("database",)), lambda _: "".join(needed))
    step_until(each, lambda: each.view.doing == "waiting for database")
    assert not each.running
    needed.clear()
    step_until(each, lambda: each.view.state == "ready")


def test_a_killed_component_is_started_again_and_set_up_again(
    tmp_path: Path, supervise: Callable[..., Supervised]
) -> None:
    component = FakeComponent(tmp_path)
    each = supervise(component)
    step_until(each, lambda: each.view.state == "ready")
    first = each.view.pid
    os.kill(first, signal.SIGKILL)
    step_until(each, lambda: each.view.state == "ready" and each.view.pid != first)
    assert each.view.restarts == 1
    assert "code -9" in each.view.sentence
    assert component.calls.count("set_up") == 2


def test_a_wanted_restart_is_not_held_against_a_component(tmp_path: Path, supervise: Callable[..., Supervised]) -> None:
    each = supervise(FakeComponent(tmp_path))
    step_until(each, lambda: each.view.state == "ready")
    for _ in range(6):  # one more than the deaths that mean: give up
        before = each.view.pid
        each.restart()
        step_until(each, lambda before=before: each.view.state == "ready" and each.view.pid != before)
    assert each.view.state == "ready"


def test_a_component_that_always_dies_fails_with_its_name_log_and_last_words(
    tmp_path: Path, supervise: Callable[..., Supervised], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.local.restart_policy.RestartPolicy.pause_after_death", _three_times())
    component = FakeComponent(tmp_path, program="import sys; print('no disk left'); sys.exit(7)")
    component.ready = lambda: False  # type: ignore[method-assign]
    each = supervise(component)
    step_until(each, lambda: each.view.state == "failed")
    assert each.view.sentence.startswith("fake exited with code 7")
    assert str(component.log) in each.view.sentence
    assert "no disk left" in each.view.sentence
    assert each.view.pid == 0


def test_an_error_in_set_up_is_told_and_tried_again(tmp_path: Path, supervise: Callable[..., Supervised]) -> None:
    component = FakeComponent(tmp_path)
    errors = [ValueError("no bucket")]

    def set_up() -> None:
        if errors:
            raise errors.pop()

    component.set_up = set_up  # type: ignore[method-assign]
    each = supervise(component)
    step_until(each, lambda: each.view.state == "ready")
    assert "no bucket" in each.view.sentence


def test_processes_are_found_by_their_mark_and_by_nothing_else(
    tmp_path: Path, mark: str, supervise: Callable[..., Supervised]
) -> None:
    each = supervise(FakeComponent(tmp_path))
    step_until(each, lambda: each.view.state == "ready")
    assert kill_marked(lambda found: found == "/another/home#1") == 0
    assert kill_marked(lambda found: found == mark) == 1
    assert not each.running


def _three_times() -> Callable[..., float | None]:
    pauses: list[float | None] = [0.0, 0.0, None]
    return lambda self, now: pauses.pop(0)
