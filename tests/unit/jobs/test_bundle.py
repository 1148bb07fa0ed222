"""What TaskManagers get: one zip that says which code it is, and from which everything can be imported and read."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile

import pytest

from jobs.bundle import PACKAGES, build_bundle
from tests.unit.house.source_tree import ROOT, shipped_modules

LOOK_INSIDE = """
import importlib, json, sys
from importlib import resources
from udfs.build_id import BUILD_ID

def sql_files(folder):
    for item in folder.iterdir():
        if item.is_dir():
            yield from sql_files(item)
        elif item.name.endswith(".sql"):
            yield item.read_text()

print(json.dumps({
    "build_id": BUILD_ID,
    "origins": {name: importlib.import_module(name).__file__ for name in sys.argv[1:]},
    "sql": list(sql_files(resources.files("sql"))),
}))
"""


def run(program, *arguments, cwd, path):
    """Run a program in an interpreter that sees, besides its libraries, only the given path, and not this checkout."""
    libraries = [entry for entry in sys.path if entry.endswith("site-packages")]
    # -S: an editable install would put this checkout on the path.
    bootstrap = f"import sys; sys.path[:0] = [{str(path)!r}]; sys.path += {libraries!r}\n"
    command = [sys.executable, "-S", "-P", "-c", bootstrap + program, *arguments]
    return subprocess.run(command, cwd=cwd, env={}, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def bundle(tmp_path):
    path = tmp_path / "out" / "weir.zip"
    return path, build_bundle(path)


def test_everything_comes_from_the_bundle_when_only_the_bundle_is_there(bundle, tmp_path):
    path, build_id = bundle
    seen = json.loads(run(LOOK_INSIDE, *PACKAGES, cwd=tmp_path, path=path))
    assert all(origin.startswith(f"{path}/") for origin in seen["origins"].values())
    assert seen["build_id"] == build_id
    assert any("CREATE" in text.upper() for text in seen["sql"])


def test_the_bundle_holds_every_module_and_every_data_file_and_no_test(bundle):
    names = set(zipfile.ZipFile(bundle[0]).namelist())
    expected = {str(path.relative_to(ROOT)) for path in shipped_modules().values()}
    for package in PACKAGES:
        expected |= {
            str(path.relative_to(ROOT)) for end in ("sql", "json") for path in (ROOT / package).rglob(f"*.{end}")
        }
    assert names >= expected
    assert {name.split("/")[0] for name in names} == set(PACKAGES)
    assert not [name for name in names if "__pycache__" in name]


def test_the_same_sources_give_the_same_bytes(bundle, tmp_path):
    path, build_id = bundle
    again = tmp_path / "again.zip"
    assert build_bundle(again) == build_id
    assert again.read_bytes() == path.read_bytes()


def test_a_bundle_made_from_a_bundle_is_the_same(bundle, tmp_path):
    path, build_id = bundle
    program = "import sys, pathlib, jobs.bundle; print(jobs.bundle.build_bundle(pathlib.Path(sys.argv[1])))"
    again = tmp_path / "again.zip"
    assert run(program, str(again), cwd=tmp_path, path=path).strip() == build_id
    assert again.read_bytes() == path.read_bytes()


def test_one_changed_letter_gives_another_build_id(bundle, tmp_path):
    _, build_id = bundle
    copy = tmp_path / "copy"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    event = copy / "udfs/domain/event.py"
    event.write_text(event.read_text().replace("What travels", "What Travels", 1))
    program = "import sys, pathlib, jobs.bundle; print(jobs.bundle.build_bundle(pathlib.Path(sys.argv[1])))"
    assert run(program, str(tmp_path / "changed.zip"), cwd=tmp_path, path=copy).strip() != build_id
