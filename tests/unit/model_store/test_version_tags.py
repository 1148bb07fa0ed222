"""Tags that people edited by hand never hide a version: what cannot be read is left out and noted."""

from __future__ import annotations

import json
from dataclasses import asdict
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.commands.models import _table, _trained
from jobs.console import stdout
from model_store.model_version import ModelVersion
from model_store.version_tags import version_of_tags

GOOD = {"weir.digest": "d" * 64, "weir.threshold": "0.5", "weir.trained_until_ms": "1522540800000"}
NAMES = ("digest", "algorithm", "feature_set", "threshold", "trained_until_ms", "parent", "commit", "data")


def read(tags: dict[str, str], metrics: dict[str, float] | None = None) -> ModelVersion:
    found = SimpleNamespace(name="fraud", version="3", run_id="r", creation_timestamp=1, tags=tags)
    return version_of_tags(found, (), metrics)


def test_a_version_whose_tags_are_as_they_were_written_has_no_note():
    version = read(GOOD, {"roc_auc": 0.5})
    assert (version.note, version.threshold, version.trained_until_ms) == ("", 0.5, 1_522_540_800_000)


@pytest.mark.parametrize(
    "text", ["2018-04-01", "-1", "1e12", "1" + "0" * 30, "nan", "٣", " 5", "5.0", "9999999999999999"]
)
def test_a_time_that_is_none_is_left_out_and_noted(text):
    version = read({**GOOD, "weir.trained_until_ms": text}, {})
    assert version.trained_until_ms == 0
    assert version.note == f"the tag weir.trained_until_ms is no time in milliseconds: {text[:40]!r}"


@pytest.mark.parametrize("text", ["high", "", "nan", "inf", "0,5"])
def test_a_threshold_that_is_none_is_left_out_and_noted(text):
    version = read({**GOOD, "weir.threshold": text}, {})
    assert (version.threshold, version.note) == (None, f"the tag weir.threshold is no number: {text!r}")


def test_a_run_that_is_gone_is_noted():
    assert read(GOOD, None).note == "its run r is gone"


@given(st.dictionaries(st.sampled_from([f"weir.{name}" for name in NAMES]), st.text(max_size=40)),
       st.dictionaries(st.text(max_size=5), st.floats()))  # fmt: skip
def test_no_tag_and_no_metric_keeps_a_version_from_being_listed(tags, metrics):
    version = read(tags, metrics)
    json.dumps(asdict(version), allow_nan=False)
    with stdout.capture() as shown:
        stdout.print(_table("fraud", [version], []))
        stdout.print(_trained(version), highlight=False, markup=False)
    assert "3" in shown.get()
