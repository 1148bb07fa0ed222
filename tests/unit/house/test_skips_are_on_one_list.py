"""A test is skipped for a reason of ``tests/allowed_skips.py`` or not at all; which those are is settled here."""

from __future__ import annotations

import subprocess
import sys

from tests.allowed_skips import ALLOWED_SKIPS, NO_CHROMIUM, NO_SECOND_BROKER, NOT_ROOT
from tests.unit.house.source_tree import ROOT

SAMPLE = """
import pytest

@pytest.mark.skip(reason={allowed!r})
def test_that_is_skipped():
    pass

def test_that_skips_itself():
    pytest.skip({allowed!r})

def test_that_skips_itself_for_another_reason():
    pytest.skip("too slow today")
"""


def test_the_list_is_as_long_as_it_was():
    assert ALLOWED_SKIPS == {NOT_ROOT, NO_CHROMIUM, NO_SECOND_BROKER}


def test_a_skip_for_another_reason_fails(tmp_path):
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_runtest_makereport\n")
    (tmp_path / "test_sample.py").write_text(SAMPLE.format(allowed=NO_CHROMIUM))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", tmp_path],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 failed, 2 skipped" in done.stdout, done.stdout
