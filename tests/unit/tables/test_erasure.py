"""Erasing a customer: his rows, and every file that held them, are gone; the others' rows and the offsets stay."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as parquet
import pytest

from connectors.iceberg.erasure import Erasure
from connectors.iceberg.next_offsets import next_offsets
from tests.unit.tables.conftest import SCHEMA, rows

TABLES = ("transactions", "truths", "inferences", "alerts")
GONE, KEPT = "erased-customer", "other-customer"


@pytest.fixture
def filled(catalog):
    """Two customers in each table; the one to be erased is the last in partition 0, and alone in a file of his own."""
    for name in TABLES:
        table = catalog.create_table(f"weir.{name}", SCHEMA)
        table.append(rows([(0, offset) for offset in range(5)], KEPT))
        table.manage_snapshots().create_tag(table.current_snapshot().snapshot_id, f"trained-{name}").commit()
        table.append(rows([(0, 5), (1, 0)], GONE))
    return catalog


def everything(folder: Path) -> set[str]:
    """Return the customers in every data file on disk, whoever refers to it."""
    found = set()
    for file in folder.rglob("*.parquet"):
        found |= set(parquet.read_table(file)["customer_id"].to_pylist())
    return found


def test_finding_changes_nothing_and_says_what_there_is(filled, tmp_path):
    found = Erasure.find(filled, GONE)
    assert found.rows == dict.fromkeys(TABLES, 2)
    assert found.transactions == {"t0-5", "t1-0"}
    assert found.tags["truths"] == ["trained-truths"]
    assert everything(tmp_path / "warehouse") == {GONE, KEPT}


def test_after_it_no_file_holds_him_and_the_others_are_whole(filled, tmp_path):
    erasure = Erasure.find(filled, GONE)
    erasure.carry_out(filled)
    assert erasure.files > 0
    assert everything(tmp_path / "warehouse") == {KEPT}
    for name in TABLES:
        table = filled.load_table(f"weir.{name}")
        assert table.scan().to_arrow()["topic_offset"].to_pylist() == [0, 1, 2, 3, 4]
        assert len(table.metadata.snapshots) == 1
        assert set(table.metadata.refs) == {"main"}
    for file in (tmp_path / "warehouse").rglob("*"):
        if file.is_file() and file.suffix == ".avro":
            assert GONE[:12].encode() not in file.read_bytes(), "a manifest still says what values were there"


def test_the_job_does_not_read_the_erased_rows_again(filled):
    before = next_offsets(filled, "truths")
    Erasure.find(filled, GONE).carry_out(filled)
    assert next_offsets(filled, "truths") == before == {0: 6, 1: 1}


def test_a_customer_nobody_knows_costs_no_row(filled, tmp_path):
    erasure = Erasure.find(filled, "nobody")
    assert erasure.rows == dict.fromkeys(TABLES, 0)
    assert everything(tmp_path / "warehouse") == {GONE, KEPT}
