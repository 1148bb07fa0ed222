"""What can be checked of the Flink image without building it: its files are there, its packages are the locked ones."""

from __future__ import annotations

import re
import sys
import tomllib

import pytest

from tests.unit.house.import_rules import closure
from tests.unit.house.source_tree import PACKAGES, ROOT, is_under, shipped_modules

DOCKERFILE = (ROOT / "docker/Dockerfile").read_text()
# Names of imports whose package is called otherwise, or comes with another one.
PACKAGE_OF_IMPORT = {"pyflink": "apache-flink", "py4j": "apache-flink", "pemja": "apache-flink"}


def entries(lock: str) -> set[str]:
    """Return the packages of a lock as they stand there, hashes and all."""
    return set((ROOT / "locks" / lock).read_text().replace("\\\n", " ").splitlines())


def wanted() -> set[str]:
    """Return the names in docker/flink-packages.txt."""
    lines = (ROOT / "docker/flink-packages.txt").read_text().splitlines()
    return {line.partition("#")[0].strip() for line in lines} - {""}


def test_the_lock_of_the_image_is_a_part_of_the_lock_with_the_same_hashes():
    assert entries("flink.lock") <= entries("python.lock")


def test_the_lock_of_the_image_holds_what_the_image_asks_for_and_neither_mlflow_nor_boto3():
    names = {entry.partition("==")[0] for entry in entries("flink.lock")}
    assert wanted() <= names
    assert names.isdisjoint({"mlflow", "boto3", "botocore"})


def test_the_image_has_each_library_that_task_managers_import():
    modules = shipped_modules()
    reached = closure([name for name in modules if is_under(name, "udfs")], modules)
    libraries = {name.split(".")[0] for name in reached} - sys.stdlib_module_names - set(PACKAGES) - {"__future__"}
    assert {PACKAGE_OF_IMPORT.get(name, name) for name in libraries} <= wanted()


@pytest.mark.parametrize("source", re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, re.MULTILINE))
def test_what_the_image_copies_is_there(source):
    assert (ROOT / source).exists()


def test_the_image_has_the_python_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11,<3.12"
    assert set(re.findall(r"python:?(\d\.\d+)", DOCKERFILE)) == {"3.11"}


def test_the_image_starts_scripts_that_flink_has():
    import pyflink

    for script in re.findall(r"\w+\.sh", DOCKERFILE):
        assert any((ROOT.__class__(folder) / "bin" / script).is_file() for folder in pyflink.__path__)
