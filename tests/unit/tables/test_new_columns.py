"""A table made by an older release gets the columns of this one."""

from __future__ import annotations

import pyarrow as pa

from connectors.iceberg.new_columns import add_new_columns


def test_what_the_file_has_gained_is_added_behind_and_old_rows_have_null_there(catalog):
    old = catalog.create_table("weir.alerts", pa.schema({"alert_id": pa.string(), "event_date": pa.date32()}))
    old.append(pa.table([["a"], [None]], schema=pa.schema({"alert_id": pa.string(), "event_date": pa.date32()})))
    added = add_new_columns(catalog, "alerts")
    assert {"score", "reasons", "reason_method", "topic_offset"} <= set(added)
    rows = catalog.load_table("weir.alerts").scan().to_arrow().to_pylist()
    assert rows[0]["alert_id"] == "a"
    assert rows[0]["score"] is None


def test_nothing_is_added_twice_or_to_a_table_that_is_not_there(catalog):
    assert add_new_columns(catalog, "alerts") == []
    catalog.create_table("weir.alerts", pa.schema({"alert_id": pa.string()}))
    assert add_new_columns(catalog, "alerts") != []
    assert add_new_columns(catalog, "alerts") == []
