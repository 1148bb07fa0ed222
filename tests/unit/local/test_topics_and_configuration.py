from __future__ import annotations

import stat
from pathlib import Path

import pytest

from connectors.kafka.topics import TOPICS
from connectors.local.flink import TaskManager
from connectors.local.flink_home import FlinkHome
from connectors.local.jars import Jars
from connectors.local.kafka import MAX_MESSAGE_BYTES, Kafka
from connectors.local.kafka_connect import KafkaConnect
from connectors.local.properties import write_properties

LARGE = ("transactions", "truths", "weir.metadata", "dead_letters")


def flink_home(tmp_path: Path) -> FlinkHome:
    jar = tmp_path / "connector.jar"
    jar.touch()

    class OneJar(Jars):
        def group(self, name: str) -> tuple[Path, ...]:
            return (jar,)

    return FlinkHome(tmp_path, 1, 2, OneJar(tmp_path, []), tmp_path / "java")


def test_the_topics_are_those_of_the_contract_with_append_time_and_no_compaction() -> None:
    assert set(TOPICS) == {
        *("transactions", "truths", "inferences", "features", "model_quality", "alerts", "model_events"),
        *("dead_letters", "weir.metadata"),
    }
    for topic in TOPICS.values():
        assert topic.settings()["message.timestamp.type"] == "LogAppendTime"
        assert topic.settings()["cleanup.policy"] == "delete"
        assert topic.partitions == (1 if topic.name == "weir.metadata" else 4)


def test_metadata_is_kept_for_ever_and_large_messages_fit_where_they_may_come() -> None:
    assert TOPICS["weir.metadata"].retention_ms == -1
    for name in LARGE:
        assert 16 * 1024 * 1024 < TOPICS[name].max_message_bytes <= MAX_MESSAGE_BYTES


def test_properties_are_escaped_and_private(tmp_path: Path) -> None:
    file = tmp_path / "p" / "x.properties"
    write_properties(file, {"a": True, "b": "c\\d\ne", "n": 3})
    assert file.read_text() == "a=true\nb=c\\\\d\\ne\nn=3\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_kafka_listens_on_this_machine_only_and_takes_large_messages(tmp_path: Path) -> None:
    kafka = Kafka(tmp_path, 11, 12, Jars(tmp_path, []), tmp_path)
    (tmp_path / "kafka" / "data").mkdir(parents=True)
    (tmp_path / "kafka" / "data" / "meta.properties").touch()  # formatted already
    kafka.prepare()
    text = (tmp_path / "kafka" / "server.properties").read_text()
    assert "listeners=PLAINTEXT://127.0.0.1:11,CONTROLLER://127.0.0.1:12\n" in text
    assert f"message.max.bytes={MAX_MESSAGE_BYTES}\n" in text
    assert "transaction.max.timeout.ms=900000\n" in text
    assert not kafka.ready()


def test_connect_keeps_secrets_out_of_its_files_and_registers_in_set_up(tmp_path: Path) -> None:
    called: list[Path] = []

    class Unpacked(Jars):
        def unpacked(self, coordinate: str) -> Path:
            return tmp_path / "plugins"

    connect = KafkaConnect(tmp_path, 13, "k:1", Unpacked(tmp_path, []), tmp_path, "hush", called.append)
    connect.prepare()
    assert all("hush" not in file.read_text() for file in (tmp_path / "connect").glob("*.properties"))
    assert not any("hush" in word for word in (*connect.command().argv, *connect.command().env.values()))
    assert not connect.ready()
    connect.set_up()
    (secret,) = called
    assert secret.read_text() == "password=hush\n"
    assert secret.stat().st_mode & 0o077 == secret.parent.stat().st_mode & 0o077 == 0
    allowed = f"config.providers.file.param.allowed.paths={secret.parent}\n"
    assert allowed in (tmp_path / "connect" / "worker.properties").read_text()


def test_the_flink_overlay_has_flink_python_in_lib_and_is_laid_out_again_without_harm(tmp_path: Path) -> None:
    home = flink_home(tmp_path)
    home.write()
    first = {file.name for file in (home.dist / "lib").iterdir()}
    stray = home.dist / "lib" / "old-connector.jar"
    stray.symlink_to(tmp_path / "gone.jar")
    home.write()
    assert {file.name for file in (home.dist / "lib").iterdir()} == first
    assert "connector.jar" in first
    assert any(name.startswith("flink-python-") for name in first)
    assert all(file.is_symlink() for file in (home.dist / "lib").iterdir())


def test_the_source_tree_is_not_on_the_path_of_a_task_manager(tmp_path: Path) -> None:
    path = flink_home(tmp_path).environment()["PYTHONPATH"]
    assert path.endswith("site-packages")
    assert ":" not in path


def test_flink_runs_python_in_threads_and_keeps_checkpoints_in_the_home(tmp_path: Path) -> None:
    configuration = flink_home(tmp_path).configuration()
    assert configuration["python.execution-mode"] == "thread"
    assert configuration["execution.checkpointing.dir"] == (tmp_path / "flink" / "checkpoints").as_uri()
    assert not [key for key in configuration if key.startswith("execution.checkpointing.interval")]


@pytest.mark.parametrize(("rocksdb", "process", "managed"), [(False, "1600m", "64m"), (True, "1856m", "320m")])
def test_a_task_manager_gets_the_memory_it_is_told_and_rocksdb_its_own_on_top(
    tmp_path: Path, rocksdb: bool, process: str, managed: str
) -> None:
    home = FlinkHome(tmp_path, 1, 2, Jars(tmp_path, []), tmp_path, rocksdb=rocksdb, taskmanager_memory_mb=1_600)
    memory = home.configuration()
    assert memory["taskmanager.memory.process.size"] == process
    assert memory["taskmanager.memory.managed.size"] == managed


def test_each_start_of_a_task_manager_has_a_new_identity_and_an_empty_working_folder(tmp_path: Path) -> None:
    manager = TaskManager(tmp_path, 1, 9, flink_home(tmp_path))
    manager.prepare()
    first = manager.command().argv
    (tmp_path / "flink" / "tmp" / "taskmanager-1" / "left").touch()
    manager.prepare()
    assert not list((tmp_path / "flink" / "tmp" / "taskmanager-1").iterdir())
    assert manager.command().argv != first
    assert not manager.ready()
