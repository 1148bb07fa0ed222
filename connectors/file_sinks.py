"""The tests' twin of :class:`connectors.kafka_sinks.KafkaSinks`: folders of JSON lines."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from connectors.statement import statement

__all__ = ["FileSinks"]


@dataclass(frozen=True, slots=True)
class FileSinks:
    """Topics as folders below ``folder``; a file counts once a checkpoint has completed it."""

    folder: Path

    def create(self, tables: Any, topic: str) -> str:  # noqa: ANN401
        """Create the table and return its name."""
        tables.execute_sql(statement("job/file_sink.sql", topic=topic, path=f"file://{self.folder / topic}"))
        return f"sink_{topic}"

    def read(self, topic: str) -> list[dict[str, Any]]:
        """Return the committed records of a topic, each value parsed, in no order."""
        records = []
        for file in sorted((self.folder / topic).glob("part-*")):
            for line in file.read_bytes().splitlines():
                records.append(orjson.loads(b64decode(orjson.loads(line)["v"])))
        return records
