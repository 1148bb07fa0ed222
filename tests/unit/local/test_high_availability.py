"""The JobManager's death does not end a job: ZooKeeper beside it, and Flink told of it."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import pytest

from connectors.local.flink import JobManager
from connectors.local.flink_home import FlinkHome
from connectors.local.jars import Jars
from connectors.local.supervisor import Supervisor
from connectors.local.zookeeper import TICK_MS, ZooKeeper


def test_zookeeper_listens_on_this_machine_only_with_its_memory_written(tmp_path: Path) -> None:
    zookeeper = ZooKeeper(tmp_path, 2_181, tmp_path / "java")
    zookeeper.prepare()
    lines = (tmp_path / "zookeeper" / "zoo.cfg").read_text().splitlines()
    assert "clientPortAddress=127.0.0.1" in lines
    assert "admin.enableServer=false" in lines
    argv = zookeeper.command().argv
    assert "-Xmx64m" in argv
    assert not zookeeper.ready()


@pytest.mark.parametrize(
    ("answer", "ready"), [(b"Mode: standalone\n", True), (b"not currently serving\n", False), (b"", False)]
)
def test_zookeeper_is_ready_when_it_says_so_itself(tmp_path: Path, answer: bytes, ready: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer_once() -> None:
            connection, _ = server.accept()
            with connection:
                assert connection.recv(4) == b"srvr"
                connection.sendall(answer)

        thread = threading.Thread(target=answer_once)
        thread.start()
        assert ZooKeeper(tmp_path, server.getsockname()[1], tmp_path).ready() is ready
        thread.join(10)


def test_flink_finds_its_jobs_there_and_a_session_may_be_so_short(tmp_path: Path) -> None:
    def configuration(port: int) -> dict[str, object]:
        return FlinkHome(tmp_path, 1, 2, Jars(tmp_path, []), tmp_path, zookeeper_port=port).configuration()

    with_it, without = configuration(2_181), configuration(0)
    assert with_it["high-availability.zookeeper.quorum"] == "127.0.0.1:2181"
    session_ms = int(str(with_it["high-availability.zookeeper.client.session-timeout"]).split()[0]) * 1_000
    assert 2 * TICK_MS <= session_ms <= 20 * TICK_MS
    assert not [name for name in without if name.startswith("high-availability")]


def test_a_component_that_a_file_holds_back_is_not_started(tmp_path: Path) -> None:
    (tmp_path / "control").mkdir()
    supervisor = Supervisor.__new__(Supervisor)
    supervisor._home, supervisor._all = tmp_path, {}
    assert supervisor._waiting_for("kafka", ()) == ""
    hold = tmp_path / "control" / "hold-kafka"
    hold.touch()
    assert str(hold) in supervisor._waiting_for("kafka", ())
    assert supervisor._waiting_for("connect", ()) == ""


def test_results_of_jobs_that_never_began_are_forgotten_and_others_kept(tmp_path):
    store = tmp_path / "flink" / "high-availability" / "job-result-store" / "weir"
    store.mkdir(parents=True)
    without, whole = {"result": {"id": "1"}}, {"result": {"id": "2", "application-id": "2"}}
    for name, text in (("1_DIRTY", json.dumps(without)), ("2_DIRTY", json.dumps(whole)), ("3_DIRTY", "{"), ("4", "{}")):
        (store / f"{name}.json").write_text(text)
    JobManager(tmp_path, 1, 2, FlinkHome(tmp_path, 1, 2, Jars(tmp_path, []), tmp_path)).prepare()
    assert sorted(file.stem for file in store.iterdir()) == ["2_DIRTY", "3_DIRTY", "4"]
