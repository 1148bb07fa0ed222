"""A TaskManager's interpreter outlives the folder its code came from."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.unit.house.source_tree import ROOT
from udfs.operators.build_check import EXIT_CODE, STAGES

PACKAGES = ("model_store", "udfs")
# An editable install would find the packages again.
PROGRAM = """
import shutil, sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in repr(finder)]
folder = sys.argv[1]
sys.path.insert(0, folder)
from udfs.operators.terminal_stage import check_build
from udfs.build_id import BUILD_ID
if sys.argv[2] == "open": check_build(BUILD_ID)
shutil.rmtree(folder)
if sys.argv[2] == "open late": check_build(BUILD_ID)
if sys.argv[2] == "submitted": check_build("ab" * 32)
import udfs.operators.gate_stage
"""


def ends_with(tmp_path: Path, word: str) -> subprocess.CompletedProcess[str]:
    """Run a stage's module from a folder, open it or not, remove the folder, and ask for another stage."""
    folder = tmp_path / "bundle"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    arguments = [sys.executable, "-B", "-P", "-c", PROGRAM, str(folder), word]
    return subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)


def test_a_stage_that_comes_later_is_there_though_the_bundle_is_gone(tmp_path):
    opened = ends_with(tmp_path, "open")
    assert opened.returncode == 0, opened.stderr


def test_without_opening_a_stage_it_would_not_be(tmp_path):
    assert "No module named 'udfs.operators.gate_stage'" in ends_with(tmp_path, "import only").stderr


def test_a_bundle_that_goes_while_it_is_imported_ends_the_process_and_not_the_job(tmp_path):
    for word in ("open late", "submitted"):
        gone = ends_with(tmp_path, word)
        assert gone.returncode == EXIT_CODE, gone.stderr
        assert "another one starts" in gone.stderr


def test_the_list_of_stages_is_whole():
    assert set(STAGES) == {path.stem for path in (ROOT / "udfs" / "operators").glob("*_stage.py")}
