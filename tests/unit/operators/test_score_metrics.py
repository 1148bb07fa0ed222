"""Counts per version are those of the inferences, whatever the batches."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from udfs.operators.score_metrics import ScoreMetrics


class Group:
    """A metric group that notes counters by their path."""

    def __init__(self, counts, path=()):
        self.counts, self.path = counts, path

    def add_group(self, name, value):
        return Group(self.counts, (*self.path, name, value))

    def counter(self, name):
        group = self

        class Counted:
            def inc(self, count):
                group.counts[(*group.path, name)] += count

        return Counted()


inference = st.fixed_dictionaries(
    {
        "model": st.sampled_from(["fraud", None]),
        "version": st.sampled_from(["1", "2", None]),
        "role": st.sampled_from(["champion", "challenger"]),
        "late": st.booleans(),
        "score": st.sampled_from([None, 0.5]),
    }
)


@given(st.lists(st.lists(inference, max_size=5), max_size=5))
def test_counters_are_those_of_all_batches_together(batches):
    counts: Counter = Counter()
    metrics = ScoreMetrics(Group(counts))
    expected: Counter = Counter()
    for batch in batches:
        metrics.count(batch)
        for each in batch:
            path = ("model", each["model"] or "none", "version", each["version"] or "none", "role", each["role"])
            expected[(*path, "inferences")] += 1
            expected[(*path, "late")] += each["late"]
            expected[(*path, "null_scores")] += each["score"] is None
    assert counts == expected
