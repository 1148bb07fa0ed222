"""One stack for all end-to-end tests, and one job for the tests of a file."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.e2e.local import Local
from tests.e2e.scoring import Scoring


def pytest_configure(config):
    config.addinivalue_line("markers", "last: runs after all others, because it takes their stack down")


def pytest_collection_modifyitems(items):
    """Put the test that takes the stack down behind all others."""
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


@pytest.fixture(scope="session")
def local(tmp_path_factory):
    """Return the running stack; it is down, its data removed, when the session ends. Logs stay."""
    for name in [name for name in os.environ if name.startswith("WEIR_") and name != "WEIR_CACHE"]:
        del os.environ[name]
    local = Local(tmp_path_factory.mktemp("stack") / "home")
    try:
        assert local.weir_json("up", timeout_s=600, prometheus="true")["started"]
        yield local
    finally:
        if (local.home / "logs").exists():
            shutil.copytree(local.home / "logs", local.home.parent / "logs")
        local.stack.down(purge=True)
    assert local.processes() == []
    assert local.taken_ports() == []


@pytest.fixture(scope="module")
def scoring(local, request):
    """Return the scoring job, not yet submitted; stopped after the last test of the file."""
    scoring = Scoring(local, model=request.module.__name__.rpartition(".")[2])
    yield scoring
    scoring.stop()
