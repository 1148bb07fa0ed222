"""What every test gets: a marker from the folder it lies in, and Hypothesis without surprises."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.allowed_skips import is_allowed

HERE = Path(__file__).parent
MARKED_FOLDERS = {"integration": "integration", "e2e": "e2e"}

# Two shared cores make the time of one example meaningless; on CI the same examples are drawn each time.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_collection_modifyitems(items):
    """Mark a test by its folder, so that nobody forgets to."""
    for item in items:
        if HERE in item.path.parents:
            marker = MARKED_FOLDERS.get(item.path.relative_to(HERE).parts[0])
            if marker:
                item.add_marker(marker)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Fail a test that is skipped for a reason nobody has allowed."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and not is_allowed(report.longrepr):
        report.outcome, report.longrepr = "failed", f"{report.longrepr}: this skip is not in tests/allowed_skips.py"
    return report


@pytest.fixture(scope="session")
def creditcard_extract() -> Path:
    """Return the 2,500-row extract of the credit card set (see its notice in ``tests/data``)."""
    return HERE / "data" / "creditcard_2500.parquet"
