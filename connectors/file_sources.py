"""The tests' twin of :class:`connectors.kafka_sources.KafkaSources`: folders of JSON lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from connectors.interval import interval
from connectors.rowtime import rowtime_expression
from connectors.statement import statement

__all__ = ["FileSources"]


@dataclass(frozen=True, slots=True)
class FileSources:
    """Topics as folders below ``folder``; a file holds the lines of one or more partitions.

    The folders are watched, so that the job stays unbounded as it is in production.
    """

    folder: Path
    watermark_delay_ms: int

    def write(self, topic: str, partitions: Mapping[int, Sequence[str | None]], append_ms: int) -> None:
        """Write the values of partitions; offsets count from 0, all appended at ``append_ms``. The file appears whole.

        The partitions advance side by side to their common end, in one file, which one subtask reads. Of files of their
        own a quick subtask might read two, one after the other: by then the second would be late.
        """
        place = self.folder / topic
        place.mkdir(parents=True, exist_ok=True)
        placed = [
            ((offset + 1) / len(values), {"v": value, "p": partition, "o": offset, "append_ms": append_ms})
            for partition, values in partitions.items()
            for offset, value in enumerate(values)
        ]
        lines = [orjson.dumps(line) for _, line in sorted(placed, key=lambda pair: pair[0])]
        name = f"{min(partitions)}.json"
        hidden = place / f".{name}"  # hidden files are not read
        hidden.write_bytes(b"\n".join(lines) + b"\n" if lines else b"")
        hidden.rename(place / name)

    def create(self, tables: Any, topic: str) -> None:  # noqa: ANN401
        """Create the table of a topic in a ``StreamTableEnvironment``."""
        (self.folder / topic).mkdir(parents=True, exist_ok=True)
        # A subtask that was given no file must not hold the watermark back; one that has a file reads it at once.
        tables.get_config().set("table.exec.source.idle-timeout", "3 s")
        tables.execute_sql(
            statement(
                "job/file_source.sql",
                topic=topic,
                rowtime=rowtime_expression(topic, "append_ms"),
                delay=interval(0 if topic == "weir.metadata" else self.watermark_delay_ms),
                path=f"file://{self.folder / topic}",
            )
        )
