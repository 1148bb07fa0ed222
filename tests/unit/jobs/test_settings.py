"""Settings that contradict each other are refused in a sentence."""

from __future__ import annotations

import pytest

from jobs.settings import DAY_MS, Settings
from udfs.domain.errors import SettingsError


def test_rolling_windows_are_made_of_whole_tumbling_ones():
    assert Settings(quality_rolling_ms=7 * DAY_MS).quality_rolling_ms == 7 * DAY_MS
    with pytest.raises(SettingsError, match="WEIR_QUALITY_ROLLING_MS is 90000000, which is no multiple of"):
        Settings(quality_rolling_ms=90_000_000)


def test_labels_mature_well_within_the_retention():
    assert Settings(label_maturity_days=60).label_maturity_days == 60
    with pytest.raises(SettingsError, match="set it to at most 108"):
        Settings(label_maturity_days=119)


def test_a_stage_has_no_more_subtasks_than_shards():
    assert Settings(parallelism=4, shards=4).shards == 4
    with pytest.raises(SettingsError, match="WEIR_PARALLELISM is 9, but WEIR_SHARDS is 8"):
        Settings(parallelism=9)
