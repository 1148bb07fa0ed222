"""The stack from outside: up twice, ports in use, a dead component, and nothing left behind."""

from __future__ import annotations

import os
import signal

import psutil
import pytest

from tests.e2e.local import Local
from tests.e2e.scoring import wait_for

COMPONENTS = {
    *(
        "postgres",
        "kafka",
        "connect",
        "s3",
        "mlflow",
        "zookeeper",
        "jobmanager",
        "flink",
        "iceberg_catalog",
        "warehouse",
    ),
    *("taskmanager-1", "taskmanager-2", "taskmanager-3", "taskmanager-4"),
}


def pids(local: Local) -> dict[str, int]:
    state = local.stack.status()
    assert state is not None
    return {name: each.pid for name, each in state.components.items()}


def test_up_of_a_running_stack_changes_nothing(local):
    before = pids(local)
    assert local.weir_json("up")["started"] is False
    assert pids(local) == before


def test_status_as_json_names_state_and_address_of_every_component(local):
    document = local.weir_json("status")
    assert document["state"] == "ready"
    assert set(document["components"]) >= COMPONENTS
    states = {name: each["state"] for name, each in document["components"].items()}
    assert states.pop("api") == "stopped"  # nobody has to run weir serve
    assert states == dict.fromkeys(states, "ready")
    for name in ("kafka", "postgres", "connect", "s3", "mlflow", "flink"):
        assert str(local.port_base // 100) in document["components"][name]["address"]


def test_a_second_stack_on_the_same_ports_is_refused_in_one_sentence_that_names_them(local, tmp_path):
    second = Local(tmp_path / "second", port_base=local.port_base)
    refused = second.weir("up")
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert refused.stderr.strip().count("\n") == 0
    for port in (local.stack.ports.kafka, local.stack.ports.postgres):
        assert str(port) in refused.stderr
    assert second.processes() == []
    assert local.weir_json("status")["state"] == "ready"


@pytest.mark.parametrize("name", ["s3", "connect"])
def test_a_killed_component_is_started_again(local, name):
    before = pids(local)[name]
    restarts = local.weir_json("status")["components"][name]["restarts"]
    os.kill(before, signal.SIGKILL)

    def is_back() -> bool:
        state = local.stack.status()
        return state is not None and state.components[name].pid not in (0, before) and state.state == "ready"

    wait_for(f"{name} is ready again", is_back, timeout_s=90)
    component = local.weir_json("status")["components"][name]
    assert component["restarts"] == restarts + 1
    assert name in component["sentence"]
    assert not psutil.pid_exists(before)


@pytest.mark.last
def test_after_down_nothing_is_left_and_down_again_is_no_error(local):
    home = local.home
    assert local.weir_json("down") == {"was_running": True, "purged": False}
    assert local.processes() == []
    assert local.taken_ports() == []
    status = local.weir("status", "--json")
    assert status.returncode == 1
    assert '"stopped"' in status.stdout
    assert (home / "kafka" / "data").exists()
    assert local.weir_json("down", "--purge") == {"was_running": False, "purged": True}
    assert not home.exists()
