"""Training sets are tagged snapshots, on real Iceberg tables in a folder."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.iceberg.read_labelled_rows import read_labelled_rows
from connectors.iceberg.training_snapshot import TRAINING_TABLES, TrainingSnapshot
from tests.unit.iceberg.conftest import FEATURES
from udfs.domain.errors import SettingsError, TablesError


def rows_of(tables, snapshot, **window):
    return read_labelled_rows(tables.catalog, snapshot, "handbook@1", FEATURES, **window)


def test_a_tag_names_the_same_rows_when_the_tables_have_grown(tables):
    tables.infer({"transaction_id": "a", "event_time_ms": 1})
    tables.tell({"transaction_id": "a", "label": 1})
    snapshot = TrainingSnapshot.newest(tables.catalog).tag_it(tables.catalog)
    before = rows_of(tables, snapshot)
    tables.infer({"transaction_id": "b", "event_time_ms": 2})
    tables.tell({"transaction_id": "a", "label": 0, "revision": 1})
    again = rows_of(tables, TrainingSnapshot.tagged(tables.catalog, snapshot.tag))
    assert again.sha256() == before.sha256()
    assert again.label.tolist() == [1]
    assert rows_of(tables, TrainingSnapshot.newest(tables.catalog)).label.tolist() == [0, -1]


def test_a_tag_names_the_verdicts_of_its_time_too(tables):
    tables.infer({"transaction_id": "a", "event_time_ms": 1}, {"transaction_id": "b", "event_time_ms": 2})
    tables.tell({"transaction_id": "a", "topic_offset": 5}, {"transaction_id": "b", "topic_offset": 6})
    tables.refuse({"offset": 5})
    snapshot = TrainingSnapshot.newest(tables.catalog).tag_it(tables.catalog)
    tables.refuse({"offset": 6})
    assert rows_of(tables, TrainingSnapshot.tagged(tables.catalog, snapshot.tag)).label.tolist() == [-1, 0]
    assert rows_of(tables, TrainingSnapshot.newest(tables.catalog)).label.tolist() == [-1, -1]


def test_a_tag_of_before_verdicts_were_read_is_read_with_those_of_today(tables):
    tables.infer({"transaction_id": "a", "event_time_ms": 1})
    tables.tell({"transaction_id": "a", "topic_offset": 5})
    old = TrainingSnapshot.newest(tables.catalog).tag_it(tables.catalog)
    assert set(old.tables) == set(TRAINING_TABLES)
    tables.refuse({"offset": 5})
    assert rows_of(tables, TrainingSnapshot.tagged(tables.catalog, old.tag)).label.tolist() == [-1]


def test_a_tagged_snapshot_survives_expiry_and_others_do_not(tables):
    for number in range(4):
        tables.infer({"transaction_id": str(number), "event_time_ms": number})
        tables.tell({"transaction_id": str(number)})
        if number == 0:
            untagged = TrainingSnapshot.newest(tables.catalog)
        elif number == 1:
            snapshot = TrainingSnapshot.newest(tables.catalog).tag_it(tables.catalog)
    later = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)
    for name in TRAINING_TABLES:
        tables.catalog.load_table(name).maintenance.expire_snapshots().older_than(later).commit()
        held = {each.snapshot_id for each in tables.catalog.load_table(name).metadata.snapshots}
        assert snapshot.tables[name] in held
        assert untagged.tables[name] not in held
    assert rows_of(tables, TrainingSnapshot.tagged(tables.catalog, snapshot.tag)).transaction_id.tolist() == ["0", "1"]
    with pytest.raises(TablesError, match="has expired"):
        rows_of(tables, untagged)


def test_the_same_snapshots_get_the_same_tag_once(tables):
    tables.infer({"transaction_id": "a", "event_time_ms": 1})
    tables.tell({"transaction_id": "a"})
    first, second = (TrainingSnapshot.newest(tables.catalog).tag_it(tables.catalog) for _ in range(2))
    assert first == second
    assert set(tables.catalog.load_table("weir.truths").metadata.refs) == {"main", first.tag}


def test_tagging_goes_on_when_another_writer_was_quicker(tables, monkeypatch):
    tables.infer({"transaction_id": "a", "event_time_ms": 1})
    tables.tell({"transaction_id": "a"})
    snapshot = TrainingSnapshot.newest(tables.catalog)
    load = type(tables.catalog).load_table

    def stale(catalog, name):
        table = load(catalog, name)
        if name == "weir.truths":
            tables_of_another = load(catalog, name)
            with tables_of_another.transaction() as change:
                change.set_properties(by="another")
        return table

    monkeypatch.setattr(type(tables.catalog), "load_table", stale)
    tagged = snapshot.tag_it(tables.catalog)
    monkeypatch.undo()
    assert TrainingSnapshot.tagged(tables.catalog, tagged.tag).tables == snapshot.tables


def test_an_unknown_tag_is_answered_with_those_there_are(tables):
    tables.infer({"transaction_id": "a", "event_time_ms": 1})
    tables.tell({"transaction_id": "a"})
    tag = TrainingSnapshot.newest(tables.catalog).tag_it(tables.catalog).tag
    with pytest.raises(SettingsError, match=f"no tag 'july'; its newest tags are: {tag}"):
        TrainingSnapshot.tagged(tables.catalog, "july")


def test_empty_tables_are_nothing_to_train_on(tables):
    with pytest.raises(SettingsError, match="still empty"):
        TrainingSnapshot.newest(tables.catalog)


def test_a_table_that_is_not_there_is_one_sentence(tables):
    tables.catalog.drop_table("weir.truths")
    tables.infer({"transaction_id": "a", "event_time_ms": 1})
    with pytest.raises(TablesError, match="no such table"):
        TrainingSnapshot.newest(tables.catalog)
