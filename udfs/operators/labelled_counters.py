"""Counters of Flink that differ in labels, made when a combination of labels is first counted."""

from __future__ import annotations

from typing import Any

__all__ = ["LabelledCounters"]


class LabelledCounters:
    """Counters of one name; a reporter such as Prometheus shows the labels as labels.

    Parameters
    ----------
    group
        The operator's metric group.
    name
        Name of the counters.
    labels
        Names of the labels.
    """

    def __init__(self, group: Any, name: str, labels: tuple[str, ...]) -> None:  # noqa: ANN401
        self._group, self._name, self._labels = group, name, labels
        self._counters: dict[tuple[str, ...], Any] = {}

    def add(self, values: tuple[str, ...], count: int = 1) -> None:
        """Count for these values of the labels; a count of zero makes the counter visible."""
        counter = self._counters.get(values)
        if counter is None:
            group = self._group
            for label, value in zip(self._labels, values, strict=True):
                group = group.add_group(label, value)
            counter = self._counters[values] = group.counter(self._name)
        if count:  # a call into the JVM is not free
            counter.inc(count)
