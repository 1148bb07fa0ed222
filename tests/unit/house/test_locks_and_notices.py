"""The locks say exactly what is installed, they cover what we ask for, and each direct dependency has its notice."""

from __future__ import annotations

import re
import tomllib

import pyarrow.parquet as pq
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from connectors.local.locked_jar import read_lock
from tests.unit.house.source_tree import ROOT, tracked_files

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REQUIREMENTS = [
    Requirement(text)
    for texts in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for text in texts
]
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
DATA_SUFFIXES = {".arrow", ".csv", ".feather", ".gz", ".parquet", ".pkl", ".xz", ".zst"}


def parse_lock(text: str) -> dict[str, Version]:
    """Return version by package name; raise ValueError at whatever is not a pinned, hashed package."""
    versions = {}
    for entry in text.replace("\\\n", " ").splitlines():
        if not entry.strip() or entry.startswith("#"):
            continue
        pin, *hashes = entry.split()
        name, found, version = pin.partition("==")
        if not (found and hashes and all(HASH.fullmatch(text) for text in hashes)):
            msg = f"not a pinned package with sha256 hashes: {entry[:80]}"
            raise ValueError(msg)
        versions[canonicalize_name(name)] = Version(version)
    return versions


LOCKED = parse_lock((ROOT / "locks/python.lock").read_text())


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=str)
def test_the_lock_holds_a_version_that_each_requirement_allows(requirement):
    assert LOCKED[canonicalize_name(requirement.name)] in requirement.specifier


@pytest.mark.parametrize(
    "line",
    [
        "numpy>=2.1 --hash=sha256:" + "a" * 64,
        "numpy==2.1.3",
        "numpy==2.1.3 --hash=md5:" + "a" * 32,
        "numpy==2.1.3 --hash=sha256:abc",
        "--index-url https://example.org/simple",
        "-e .",
    ],
)
def test_a_line_that_pins_nothing_is_refused(line):
    with pytest.raises(ValueError, match="not a pinned package"):
        parse_lock(line)


def test_the_lock_of_java_archives_has_one_version_and_a_checksum_of_each():
    jars = read_lock()
    assert [jar.coordinate for jar in jars if not re.fullmatch("[0-9a-f]{64}", jar.sha256)] == []
    names = [(*jar.coordinate.split(":")[:2], jar.classifier, group) for jar in jars for group in jar.groups]
    assert [name for name in names if names.count(name) > 1] == []


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=str)
def test_each_direct_dependency_has_its_notice(requirement):
    notices = (ROOT / "THIRD_PARTY.md").read_text()
    assert re.search(rf"(?<![\w-]){re.escape(requirement.name)}(?![\w-])", notices)


def test_the_licence_is_whole():
    text = (ROOT / "LICENSE").read_text()
    assert text.lstrip().startswith("Apache License")
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_only_data_in_the_repository_is_the_extract_with_its_notice(creditcard_extract):
    data = [path for path in tracked_files() if path.suffix in DATA_SUFFIXES]
    assert data == [creditcard_extract]
    notice = creditcard_extract.with_name("LICENSE-creditcard.md").read_text()
    assert all(text in notice for text in ("Open Database License", "Database Contents License", "Dal Pozzolo"))


def test_the_extract_is_the_first_2500_rows_with_their_two_frauds(creditcard_extract):
    table = pq.read_table(creditcard_extract)
    assert table.column_names == ["Time", *(f"V{number}" for number in range(1, 29)), "Amount", "Class"]
    assert (table.num_rows, sum(table["Class"].to_pylist()), table["Time"][-1].as_py()) == (2500, 2, 2072.0)
