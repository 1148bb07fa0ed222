"""Records looked up by key, place and time, without whole topics."""

from __future__ import annotations

import pytest
from kafka.partitioner import DefaultPartitioner

from connectors.kafka import topic_search
from connectors.kafka.topic_search import TopicSearch
from udfs.domain.errors import ConnectionLostError

RECORDS = 40


@pytest.fixture
def topics(broker, monkeypatch):
    """Return a search whose steps are of 3, then 9, then 9 records over a partition of 40 and one of 5."""
    monkeypatch.setattr(topic_search, "FIRST_STEP", 3)
    monkeypatch.setattr(topic_search, "LONGEST_STEP", 9)
    for number in range(RECORDS):
        broker.append("t", 1, b"%d" % number, key=b"k", timestamp=1_000 + 10 * (number // 2))
    for number in range(5):
        broker.append("t", 2, b"%d" % number, timestamp=1_100)
    with TopicSearch("b") as search:
        yield search


class Cluster:
    def topics(self):
        return {"t"}

    def partitions_for_topic(self, topic):
        return set(range(4))

    available_partitions_for_topic = partitions_for_topic


@pytest.mark.parametrize("key", ["", "a", "42-000017", "Zoë", "x" * 300])
def test_a_key_is_looked_for_where_the_client_puts_it(topics, key):
    put = DefaultPartitioner().partition("t", key, key.encode(), None, None, Cluster())
    assert topics.partition_of("t", key) == put


def test_a_search_goes_back_step_by_step_and_meets_every_record_once(topics):
    steps = [[int(each.value) for each in step] for step in topics.backwards("t", {1: RECORDS}, 1_000)]
    assert [len(step) for step in steps] == [3, 9, 9, 9, 9, 1]
    assert all(step == sorted(step) for step in steps)
    assert [each for step in reversed(steps) for each in step] == list(range(RECORDS))


def test_a_search_ends_at_its_bound_and_at_what_retention_left(topics, broker):
    assert [each.offset for step in topics.backwards("t", {1: RECORDS}, 5) for each in step] == [37, 38, 39, 35, 36]
    broker.begins["t", 1] = 36
    assert [each.offset for step in topics.backwards("t", {1: RECORDS}, 1_000) for each in step] == [37, 38, 39, 36]


def test_partitions_are_searched_together_each_to_its_own_beginning(topics):
    steps = [{(each.partition, each.offset) for each in step} for step in topics.backwards("t", {1: 10, 2: 5}, 1_000)]
    assert steps[0] == {(1, 7), (1, 8), (1, 9), (2, 2), (2, 3), (2, 4)}
    assert set.union(*steps) == {(1, offset) for offset in range(10)} | {(2, offset) for offset in range(5)}


def test_a_place_gives_its_record_or_nothing(topics, broker):
    found = topics.at("t", 1, 7)
    assert found is not None
    assert (found.offset, found.value) == (7, b"7")
    broker.append("t", 1, None)
    assert topics.at("t", 1, RECORDS) is None
    broker.begins["t", 1] = 8
    assert topics.at("t", 1, 7) is None


def test_a_time_gives_the_first_offset_from_it_on(topics):
    assert topics.offsets_at("t", 1_050) == {0: 0, 1: 10, 2: 0, 3: 0}
    assert topics.offsets_at("t", 1_051) == {0: 0, 1: 12, 2: 0, 3: 0}
    assert topics.offsets_at("t", 9_999) == {0: 0, 1: RECORDS, 2: 5, 3: 0}


def test_a_topic_that_is_not_there_is_named(topics):
    with pytest.raises(ConnectionLostError, match="no topic nothing"):
        topics.ends("nothing")
