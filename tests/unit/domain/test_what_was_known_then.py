"""The two series of model_quality under corrections: each transaction once as known now, each truth once as it was told."""

from __future__ import annotations

from tests.unit.domain.truth_case import DAY, HOUR, NOW, join, prediction, truth
from udfs.domain.quality_change import encode_changes
from udfs.domain.quality_rules import QualityRules
from udfs.domain.quality_stage import refresh_windows

RULES = QualityRules(HOUR, 30 * DAY)


class Quality:
    """Join and quality stage with their state; every row that was published."""

    def __init__(self) -> None:
        self._joined: dict[str, bytes] = {}
        self._windows: dict[str, bytes] = {}
        self.rows: list[dict] = []

    def take(self, *items) -> None:
        for key, text in encode_changes(join(self._joined, *items).changes).items():
            self.rows += refresh_windows(key, [text], self._windows, RULES, watermark_ms=0).rows

    def labels(self, series: str, window: str) -> list[tuple[int, int, int]]:
        """Positives, negatives and labelled of the newest row of each window of a kind, in order of time."""
        rows = [row for row in self.rows if (row["series"], row["window"]) == (series, window)]
        newest = {row["window_start_ms"]: row for row in sorted(rows, key=lambda row: row["revision"])}
        return [(r["positives"], r["negatives"], r["labelled"]) for _, r in sorted(newest.items())]


def test_a_corrected_transaction_counts_once_by_event_time_and_once_in_each_window_it_was_told_in():
    quality = Quality()
    quality.take(prediction(), truth(1), truth(0, revision=2, truth_time_ms=NOW + 3 * DAY))
    assert quality.labels("event_time", "tumbling") == quality.labels("event_time", "life") == [(0, 1, 1)]
    assert quality.labels("truth_time", "tumbling") == [(1, 0, 1), (0, 1, 1)]


def test_over_its_whole_life_the_series_by_truth_time_counts_what_was_told_not_transactions():
    quality = Quality()
    for number in range(5):
        quality.take(prediction(f"t{number}"), truth(1, f"t{number}"))
    for number in range(2):
        quality.take(truth(0, f"t{number}", revision=2, truth_time_ms=NOW + 3 * DAY))
    assert quality.labels("event_time", "life") == [(3, 2, 5)]
    assert quality.labels("truth_time", "life") == [(5, 2, 7)]


def test_a_window_of_truth_time_is_not_revised_by_a_later_correction():
    quality = Quality()
    quality.take(prediction(), truth(1))
    before = quality.labels("truth_time", "tumbling")
    quality.take(truth(0, revision=2, truth_time_ms=NOW + 3 * DAY), truth(1, revision=3, truth_time_ms=NOW + 9 * DAY))
    assert quality.labels("truth_time", "tumbling")[:1] == before == [(1, 0, 1)]


def test_what_was_known_at_a_past_moment_is_the_newest_row_by_event_time_published_before_it():
    quality = Quality()
    quality.take(prediction(), truth(1))
    published = len(quality.rows)
    quality.take(truth(0, revision=2, truth_time_ms=NOW + 3 * DAY))
    assert quality.labels("event_time", "life") == [(0, 1, 1)]
    quality.rows = quality.rows[:published]
    assert quality.labels("event_time", "life") == [(1, 0, 1)]
