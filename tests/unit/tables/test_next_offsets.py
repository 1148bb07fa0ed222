"""The tables job goes on behind what is in a table: against a brute-force reading of every row."""

from __future__ import annotations

import random

import pytest

from connectors.iceberg import next_offsets as module
from connectors.iceberg.next_offsets import next_offsets
from tests.unit.tables.conftest import SCHEMA, rows


def brute_force(table):
    found = table.scan().to_arrow().to_pydict()
    ends: dict[int, int] = {}
    for partition, offset in zip(found["topic_partition"], found["topic_offset"], strict=True):
        ends[partition] = max(ends.get(partition, 0), offset + 1)
    return dict(sorted(ends.items()))


def test_a_table_that_is_not_there_has_no_rows(catalog):
    assert next_offsets(catalog, "inferences") == {}


def test_an_empty_table_has_none_either(catalog):
    catalog.create_table("weir.inferences", SCHEMA)
    assert next_offsets(catalog, "inferences") == {}


@pytest.mark.parametrize("seed", range(8))
def test_it_is_what_reading_every_row_says_whatever_files_hold_which_partitions(catalog, seed):
    chance = random.Random(seed)
    table = catalog.create_table("weir.inferences", SCHEMA)
    ends = [0, 0, 0, 0]
    for _ in range(chance.randint(1, 8)):
        positions = []
        for partition in chance.sample(range(4), chance.randint(1, 4)):
            # Offsets have gaps: each transaction of the writer leaves a marker.
            for _ in range(chance.randint(1, 5)):
                ends[partition] += chance.randint(1, 3)
                positions.append((partition, ends[partition]))
        chance.shuffle(positions)
        table.append(rows(positions))
    assert next_offsets(catalog, "inferences") == brute_force(table)


def test_files_that_hold_nothing_newer_are_not_read(catalog, monkeypatch):
    table = catalog.create_table("weir.inferences", SCHEMA)
    for first in range(0, 100, 10):
        table.append(rows([(partition, offset) for partition in (0, 1) for offset in range(first, first + 10)]))
    read = []
    monkeypatch.setattr(module, "_newest", lambda *given: read.append(given) or original(*given))
    assert next_offsets(catalog, "inferences") == {0: 100, 1: 100}
    assert len(read) == 1


original = module._newest
