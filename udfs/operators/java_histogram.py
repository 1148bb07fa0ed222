"""Flink's own histogram, for stages that run in the JVM's process."""

from __future__ import annotations

from typing import Any

__all__ = ["java_histogram"]

SAMPLES = 1_024
"""Values a histogram's quantiles are over, the newest of each subtask."""


def java_histogram(group: Any, name: str) -> Any:  # noqa: ANN401
    """Register a histogram over the newest 1,024 values; None where there is no JVM (tests)."""
    # PyFlink has no histogram; its thread mode holds Flink's own metric group, which has.
    java_group = getattr(group, "_metrics", None)
    if java_group is None:
        return None
    from pemja import findClass

    return java_group.histogram(
        name, findClass("org.apache.flink.runtime.metrics.DescriptiveStatisticsHistogram")(SAMPLES)
    )
