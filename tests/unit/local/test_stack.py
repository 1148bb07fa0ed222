from __future__ import annotations

import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.local.jars import Jars
from connectors.local.kafka import Kafka
from connectors.local.port_check import check_ports, is_free
from connectors.local.ports import Ports
from connectors.local.restart_policy import RestartPolicy
from connectors.local.stack import LocalStack
from connectors.local.stack_home import StackHome
from connectors.local.stack_plan import COMPONENTS, StackPlan
from connectors.local.stack_state import ComponentState, StackState
from udfs.domain.errors import StackError


def stack(home: Path) -> LocalStack:
    return LocalStack(home, home.parent / "cache", 19_000, "secret", "key", "secret", 2)


def state_of_a_dead_supervisor(ending: str = "ready") -> StackState:
    component = ComponentState("ready", "", 2**22 + 1, 1.0, (1,), "log")
    return StackState(ending, 2**22 + 1, 1.0, 19_000, {"kafka": component})  # type: ignore[arg-type]


def test_all_ports_of_a_stack_are_different_and_lie_within_its_hundred() -> None:
    plan = StackPlan(
        Path("/h"), Path("/c"), 19_000, "p", "k", "s", 3, ("kafka", "connect", "jobmanager", "taskmanager")
    )
    ports = Ports(19_000)
    used = [port for each in plan.components() for port in each.ports] + [ports.postgres, ports.s3, ports.mlflow]
    assert len(used) == len(set(used))
    assert all(19_000 <= port < 19_100 for port in used)


def test_a_plan_survives_its_way_through_a_pipe_and_hides_its_passwords() -> None:
    plan = StackPlan(Path("/h"), Path("/c"), 19_000, "topsecret", "k", "s", 3)
    assert StackPlan.from_json(plan.to_json()) == plan
    assert "topsecret" not in repr(plan)


def test_a_plan_makes_every_component_with_known_dependencies() -> None:
    names = {
        "postgres",
        "kafka",
        "connect",
        "s3",
        "mlflow",
        "zookeeper",
        "jobmanager",
        "taskmanager-1",
        "taskmanager-2",
    }
    made = StackPlan(Path("/h"), Path("/c"), 19_000, "p", "k", "s", 2, COMPONENTS[1:3] + COMPONENTS[5:]).components()
    assert {each.name for each in made} == names - {"postgres", "s3", "mlflow"}
    assert all(set(each.depends_on) <= names for each in made)


def test_a_state_reads_back_as_it_was_written(tmp_path: Path) -> None:
    state = state_of_a_dead_supervisor()
    state.write(tmp_path)
    assert StackState.read(tmp_path) == state


@pytest.mark.parametrize("text", ["", "{", "[]", '{"components": {"kafka": {}}}'])
def test_a_state_that_cannot_be_read_is_no_state(tmp_path: Path, text: str) -> None:
    (tmp_path / "stack.json").write_text(text)
    assert StackState.read(tmp_path) is None


def test_without_its_supervisor_a_stack_is_stopped_whatever_the_file_says(tmp_path: Path) -> None:
    state_of_a_dead_supervisor().write(tmp_path)
    state = stack(tmp_path).status()
    assert state is not None
    assert (state.state, state.components["kafka"].state, state.components["kafka"].pid) == ("stopped", "stopped", 0)


def test_a_stack_that_never_was_up_has_no_state_and_can_be_taken_down(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert stack(home).status() is None
    assert stack(home).down(purge=True) is False
    assert stack(home).memory_mb() == {}
    with pytest.raises(StackError, match="not running"):
        stack(home).restart("kafka")


def test_a_folder_with_other_things_becomes_no_home_and_is_never_purged(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(StackError, match="not empty"):
        StackHome(tmp_path).create()
    with pytest.raises(StackError, match="not removed"):
        stack(tmp_path).down(purge=True)
    assert (tmp_path / "thesis.txt").exists()


def test_a_home_is_made_again_without_harm_and_removed_whole(tmp_path: Path) -> None:
    home = StackHome(tmp_path / "home")
    home.create()
    (home.path / "data").write_text("x")
    home.create()
    assert home.remove()
    assert not home.path.exists()


def test_a_taken_port_is_named_with_its_component(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(StackError, match=rf"{port} \(kafka\)"):
            check_ports([Kafka(tmp_path, port, 1, Jars(tmp_path, []), tmp_path)])
    assert is_free(port)


@given(st.lists(st.floats(0.0, 50.0), min_size=1, max_size=12))
def test_a_component_is_given_up_at_the_fifth_death_within_the_window_and_not_before(gaps: list[float]) -> None:
    policy, now, times = RestartPolicy(), 0.0, []
    for gap in gaps:
        now += gap
        times.append(now)
        recent = sum(1 for death in times if now - death < 120.0)
        pause = policy.pause_after_death(now)
        assert (pause is None) == (recent >= 5)
        assert pause is None or 0.0 <= pause <= 10.0
