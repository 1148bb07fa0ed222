"""The wheel holds what the bundle holds: every module, and the SQL, JSON and lock files that are read at run time."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile

import pytest

from tests.unit.house.source_tree import PACKAGES, ROOT, tracked_files

# Build tools come from the lock, not from the network; the code is copied, for setuptools writes beside its sources.
BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
AT_RUN_TIME = {".html", ".json", ".lock", ".properties", ".py", ".sql", ".typed", ".yaml"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for path in tracked_files():
        target = source / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BUILD, str(out)], cwd=source, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (built,) = out.glob("*.whl")
    return set(zipfile.ZipFile(built).namelist())


def test_the_wheel_holds_every_file_of_our_packages(wheel):
    shipped = [path.relative_to(ROOT) for path in tracked_files()]
    expected = {str(path) for path in shipped if path.parts[0] in PACKAGES and path.suffix in AT_RUN_TIME}
    assert expected - wheel == set()


def test_the_wheel_holds_nothing_but_our_packages_and_its_own_notices(wheel):
    assert {name.split("/")[0] for name in wheel if ".dist-info/" not in name} == set(PACKAGES)
    assert any(name.endswith("licenses/THIRD_PARTY.md") for name in wheel)
