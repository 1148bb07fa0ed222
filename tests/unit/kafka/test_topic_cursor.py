from __future__ import annotations

import pytest

from connectors.kafka.topic_cursor import TopicCursor
from udfs.domain.errors import ConnectionLostError


def drain(cursor):
    taken = []
    while batch := cursor.poll():
        taken += [(topic, record.partition, record.offset) for topic, record in batch]
    return sorted(taken)


def test_it_hands_out_each_record_once_and_goes_on_where_it_was(broker):
    for partition in (0, 1, 1):
        broker.append("alerts", partition, b"a")
    broker.append("inferences", 3, b"i")
    with TopicCursor("b", {"alerts": {}, "inferences": {}}) as cursor:
        assert cursor.behind() == 4
        assert drain(cursor) == [("alerts", 0, 0), ("alerts", 1, 0), ("alerts", 1, 1), ("inferences", 3, 0)]
        broker.append("alerts", 1, b"later")
        assert drain(cursor) == [("alerts", 1, 2)]
        assert cursor.places("alerts") == {0: 1, 1: 3, 2: 0, 3: 0}
        assert cursor.behind() == 0
    broker.append("alerts", 0, b"new")
    with TopicCursor("b", {"alerts": {0: 1, 1: 3}}) as again:
        assert drain(again) == [("alerts", 0, 1)]


def test_a_place_the_topic_does_not_have_is_read_from_the_beginning(broker):
    broker.append("alerts", 0, b"of a topic made anew")
    with TopicCursor("b", {"alerts": {0: 500}}) as cursor:
        assert drain(cursor) == [("alerts", 0, 0)]


def test_a_topic_that_is_not_there_is_one_sentence(broker):
    with pytest.raises(ConnectionLostError, match="no topic nothing"):
        TopicCursor("b", {"nothing": {}})
