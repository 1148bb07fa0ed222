"""What the window stages tell Flink's metrics: how many bytes of state an entity takes."""

from __future__ import annotations

from typing import Any

from udfs.operators.java_histogram import java_histogram

__all__ = ["WindowMetrics"]


class WindowMetrics:
    """The histogram ``bytes_per_entity`` of one subtask of a window stage, over the entities written last.

    Parameters
    ----------
    group
        The operator's metric group.
    """

    def __init__(self, group: Any) -> None:  # noqa: ANN401
        self._bytes = java_histogram(group, "bytes_per_entity")
        self._calls = 0

    def take(self, sizes: list[int]) -> None:
        """Take the sizes of the entities a batch wrote; one batch in eight, for a call into the JVM is not free."""
        self._calls += 1
        if self._bytes is not None and self._calls % 8 == 1:
            for size in sizes:
                self._bytes.update(size)
