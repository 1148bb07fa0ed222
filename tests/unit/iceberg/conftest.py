"""Real Iceberg tables in a folder, shaped as the tables job makes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

FEATURES = ("TX_AMOUNT", "TX_DURING_NIGHT")
INFERENCES = pa.schema(
    [
        ("transaction_id", pa.string()), ("event_time_ms", pa.int64()), ("model", pa.string()), ("version", pa.string()),
        ("role", pa.string()), ("digest", pa.string()), ("score", pa.float64()), ("feature_set", pa.string()),
        ("features", pa.map_(pa.string(), pa.float64())), ("warming_up", pa.bool_()), ("excluded", pa.bool_()),
        ("prediction_time_ms", pa.int64()),
    ]
)  # fmt: skip
TRUTHS = pa.schema(
    [
        ("transaction_id", pa.string()), ("label", pa.int32()), ("revision", pa.int64()), ("truth_time_ms", pa.int64()),
        ("event_time_ms", pa.int64()), ("intervened", pa.bool_()), ("topic_partition", pa.int32()),
        ("topic_offset", pa.int64()),
    ]
)  # fmt: skip


DEAD_LETTERS = pa.schema(
    [("topic", pa.string()), ("partition", pa.int32()), ("offset", pa.int64()), ("reason", pa.string())]
)


@dataclass
class Tables:
    """A catalog, and how rows get into its tables."""

    catalog: Any
    folder: Path
    numbers: Any = field(default_factory=count)
    offsets: Any = field(default_factory=count)

    def infer(self, *rows: dict[str, Any]) -> None:
        usual = {
            "model": "fraud", "version": "1", "role": "champion", "digest": "d1", "score": 0.5,
            "feature_set": "handbook@1", "warming_up": False, "excluded": False, "prediction_time_ms": 0,
        }  # fmt: skip
        made = [
            usual | {"features": {"TX_AMOUNT": float(row["event_time_ms"]), "TX_DURING_NIGHT": 0.0, "other": 9.0}} | row
            for row in rows
        ]
        self._append("weir.inferences", made, INFERENCES)

    def tell(self, *rows: dict[str, Any]) -> None:
        usual = {"label": 0, "revision": 0, "event_time_ms": 0, "intervened": None, "topic_partition": 0}
        told = [usual | {"truth_time_ms": 1_000, "topic_offset": next(self.offsets)} | row for row in rows]
        self._append("weir.truths", told, TRUTHS)

    def refuse(self, *rows: dict[str, Any]) -> None:
        usual = {"topic": "truths", "partition": 0, "reason": "wrong_type"}
        self._append("weir.dead_letters", [usual | row for row in rows], DEAD_LETTERS)

    def _append(self, name, rows, schema):
        rows = [{**row, "features": list(row["features"].items())} if "features" in row else row for row in rows]
        # pyiceberg writes with a newer pyarrow only, and is not what writes here: the file is ours, the table takes it.
        path = self.folder / f"{next(self.numbers)}.parquet"
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
        self.catalog.load_table(name).add_files([f"file://{path}"])


@pytest.fixture
def tables(tmp_path) -> Tables:
    from pyiceberg.catalog.sql import SqlCatalog

    (tmp_path / "warehouse").mkdir()
    catalog = SqlCatalog("weir", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=f"file://{tmp_path}/warehouse")
    catalog.create_namespace("weir")
    catalog.create_table("weir.inferences", schema=INFERENCES)
    catalog.create_table("weir.truths", schema=TRUTHS)
    catalog.create_table("weir.dead_letters", schema=DEAD_LETTERS)
    return Tables(catalog, tmp_path)
