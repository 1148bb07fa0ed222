"""A savepoint that the job cannot go on from is refused before Flink is asked."""

from __future__ import annotations

import shutil

import pytest

from jobs.savepoint_fit import check_savepoint
from tests.e2e.local import ROOT
from udfs.domain.errors import JobError

DATA = ROOT / "tests" / "data"
KEPT = DATA / "savepoint-0.1.0"


@pytest.mark.parametrize("form", [str, lambda path: path.as_uri(), lambda path: str(path / "_metadata")])
def test_the_one_that_is_kept_fits_however_it_is_named(form):
    check_savepoint(form(KEPT), 32)


def test_a_folder_with_a_space_is_found_by_its_uri(tmp_path):
    shutil.copytree(KEPT, tmp_path / "ein Stück")
    check_savepoint((tmp_path / "ein Stück").as_uri(), 32)


def test_another_number_of_shards_is_told_with_both():
    with pytest.raises(JobError, match="it was 32, WEIR_SHARDS is 8"):
        check_savepoint(KEPT.as_uri(), 8)


@pytest.mark.parametrize("name", ["", "nowhere", "savepoint-0.1.0/_metadata/x"])
def test_none_is_a_sentence(name):
    with pytest.raises(JobError, match="there is no savepoint to go on from"):
        check_savepoint(str(DATA / name), 8)


def test_what_lies_elsewhere_is_left_to_flink():
    check_savepoint("s3://bucket/savepoints/savepoint-1", 8)
