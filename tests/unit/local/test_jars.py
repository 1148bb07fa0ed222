from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from connectors.local import jars as jars_module
from connectors.local.jars import Jars
from connectors.local.locked_jar import LockedJar, read_lock
from connectors.local.maven import sha256_of
from udfs.domain.errors import StackError


def locked(tmp_path: Path, coordinate: str, content: bytes, groups: tuple[str, ...] = ("kafka",)) -> LockedJar:
    sample = tmp_path / "sample"
    sample.write_bytes(content)
    return LockedJar(coordinate, sha256_of(sample), len(content), groups)


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """A Maven repository in memory: what a test puts in can be downloaded."""
    content: dict[str, bytes] = {}

    def download(coordinate: str, target: Path, sha256: str | None) -> None:
        if coordinate not in content:
            msg = f"{coordinate} could not be downloaded"
            raise StackError(msg)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content[coordinate])

    monkeypatch.setattr(jars_module, "download", download)
    return content


def test_every_line_of_the_lock_reads_back_as_it_was_written() -> None:
    assert read_lock()
    assert all(LockedJar.parse(jar.line()) == jar for jar in read_lock())


def test_the_lock_names_each_group_and_one_version_of_kafka_and_of_logging() -> None:
    lock = read_lock()
    groups = {group for jar in lock for group in jar.groups}
    assert groups == {"kafka", "connect", "debezium", "flink", "iceberg", "s3", "sql-client"}
    kafka = {jar.coordinate.split(":")[2] for jar in lock if jar.coordinate.startswith("org.apache.kafka:")}
    assert kafka == {"4.3.1"}
    logging = {jar.coordinate.split(":")[2] for jar in lock if jar.coordinate.startswith("org.apache.logging.log4j:")}
    assert len(logging) == 1


def test_no_class_path_holds_two_versions_of_one_artifact_or_a_stray_flink() -> None:
    for group in ("kafka", "connect"):
        names = [":".join(jar.coordinate.split(":")[:2]) for jar in read_lock() if group in jar.groups]
        assert len(names) == len(set(names))
        assert not [name for name in names if "flink" in name]
    assert [jar.coordinate for jar in read_lock() if "flink" in jar.groups] == [
        "org.apache.flink:flink-sql-avro:2.3.0",
        "org.apache.flink:flink-sql-connector-kafka:5.0.0-2.2",
    ]


@pytest.mark.parametrize("line", ["g:a", "g:a:1 abc 1 kafka", "g:a:1:jar:c:x " + "0" * 64 + " 1 kafka"])
def test_a_bad_line_of_the_lock_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"unpack|jars\.lock"):
        LockedJar.parse(line)


def test_missing_archives_are_fetched_once_and_progress_reaches_the_total(
    tmp_path: Path, repository: dict[str, bytes]
) -> None:
    repository.update({"g:a:1": b"aaa", "g:b:1": b"bb"})
    jars = Jars(tmp_path, [locked(tmp_path, name, content) for name, content in repository.items()])
    said: list[tuple[str, int, int]] = []
    jars.fetch(lambda *step: said.append(step))
    assert [path.read_bytes() for path in jars.group("kafka")] == [b"aaa", b"bb"]
    assert said[-1][1:] == (5, 5)
    repository.clear()
    jars.fetch()


def test_a_damaged_archive_is_fetched_again(tmp_path: Path, repository: dict[str, bytes]) -> None:
    repository["g:a:1"] = b"right"
    jars = Jars(tmp_path, [locked(tmp_path, "g:a:1", b"right")])
    jars.fetch()
    jars.path("g:a").write_bytes(b"wrong")
    jars.fetch()
    assert jars.path("g:a").read_bytes() == b"right"


def test_a_failed_download_is_one_sentence_that_names_the_archive(tmp_path: Path, repository: dict[str, bytes]) -> None:
    with pytest.raises(StackError, match="g:a:1"):
        Jars(tmp_path, [locked(tmp_path, "g:a:1", b"x")]).fetch()


def test_an_unknown_or_ambiguous_name_is_refused(tmp_path: Path) -> None:
    jars = Jars(tmp_path, [locked(tmp_path, "g:a:1", b"x"), locked(tmp_path, "g:a:2", b"y")])
    for name in ("g:a", "g:c"):
        with pytest.raises(StackError, match=r"jars\.lock"):
            jars.path(name)
    assert jars.group("nobody") == ()


def test_an_archive_is_unpacked_once(tmp_path: Path, repository: dict[str, bytes]) -> None:
    (tmp_path / "inside.txt").write_text("hello")
    archive = tmp_path / "plugin.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "inside.txt", "plugin/inside.txt")
    repository["g:p:1:tar.gz:plugin"] = archive.read_bytes()
    jars = Jars(tmp_path, [locked(tmp_path, "g:p:1:tar.gz:plugin", archive.read_bytes(), ("debezium",))])
    jars.fetch()
    folder = jars.unpacked("g:p")
    assert (folder / "plugin" / "inside.txt").read_text() == "hello"
    assert jars.unpacked("g:p") == folder
