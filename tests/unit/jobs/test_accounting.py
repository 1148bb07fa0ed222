from __future__ import annotations

from collections import Counter

import orjson
from hypothesis import given
from hypothesis import strategies as st

from connectors.kafka.record import Record
from jobs.accounting import Accounting

CLOSE = b'{"control":"close","event_time_ms":5}'


class Topics:
    """Topics in memory, in the shape that an accounting reads."""

    def __init__(self):
        self.records = {"transactions": [], "inferences": [], "dead_letters": []}

    def read(self, topic, from_offsets):
        for record in self.records[topic]:
            if record.offset >= from_offsets.get(record.partition, 0):
                yield record

    def transaction(self, partition, offset, value=b'{"transaction_id":"t"}'):
        self.records["transactions"].append(Record(partition, offset, 1, b"k", value))

    def _answer(self, topic, answer):
        self.records[topic].append(Record(0, len(self.records[topic]), 1, None, orjson.dumps(answer)))

    def inference(self, partition, offset, *, role="champion", version="1", score=0.5, time_ms=0, seq=1):
        self._answer(
            "inferences",
            {
                "source_partition": partition,
                "source_offset": offset,
                "role": role,
                "model": "fraud" if version else None,
                "version": version,
                "score": score,
                "prediction_time_ms": time_ms,
                "deployment_seq": seq,
            },
        )

    def dead_letter(self, partition, offset, reason="not_json", topic="transactions"):
        self._answer("dead_letters", {"topic": topic, "partition": partition, "offset": offset, "reason": reason})


def test_each_record_answered_once_makes_the_sum_hold():
    topics = Topics()
    for offset in range(6):
        topics.transaction(1, offset, CLOSE if offset == 5 else b'{"transaction_id":"t"}')
    for offset in (0, 1):
        topics.inference(1, offset)
    topics.inference(1, 2, version=None, score=None)
    topics.dead_letter(1, 3, "duplicate")
    topics.dead_letter(1, 4, "not_json")
    topics.dead_letter(1, 4, "not_json")  # at least once
    topics.dead_letter(0, 4, topic="truths")
    found = Accounting(topics.read).update()
    assert found.holds
    assert (found.transactions, found.inferences, found.null_scores) == (6, 3, 1)
    assert (found.dead_letters, found.duplicates, found.controls) == (2, 1, 1)
    assert found.reasons == {"duplicate": 1, "not_json": 1}
    assert found.versions == {"-/-/champion": 1, "fraud/1/champion": 2}
    assert str(found) == ("6 transactions = 3 inferences + 2 dead letters (1 duplicates) + 1 closing records")


def test_what_is_missing_doubled_or_unknown_breaks_the_sum_and_is_named():
    topics = Topics()
    for offset in range(3):
        topics.transaction(2, offset)
    topics.inference(2, 1)
    topics.inference(2, 1)
    topics.inference(2, 70_000)
    found = Accounting(topics.read).update()
    assert (found.missing, found.doubled, found.unknown) == (2, 1, 1)
    assert found.first_missing == ((2, 0), (2, 2))
    assert found.first_doubled == ((2, 1),)
    assert not found.holds
    assert "2 missing, 1 doubled, 1 unknown, the first at partition 2 offset 0" in str(found)


def test_a_message_that_only_looks_like_a_closing_record_is_none():
    topics = Topics()
    topics.transaction(0, 0, b'{"transaction_id":"t","note":"\\"control\\"","control":"close"}')
    topics.transaction(0, 1, b'{"control":"open","event_time_ms":5}')
    topics.transaction(0, 2, None)
    assert Accounting(topics.read).update().controls == 0


def test_an_update_reads_only_what_is_new_and_counts_everything():
    topics, asked = Topics(), []

    def read(topic, from_offsets):
        asked.append((topic, from_offsets))
        return topics.read(topic, from_offsets)

    topics.transaction(3, 0)
    accounting = Accounting(read)
    assert accounting.update().missing == 1
    topics.inference(3, 0)
    topics.transaction(3, 1, CLOSE)
    found = accounting.update()
    assert found.holds
    assert found.transactions == 2
    assert asked[3:] == [("inferences", {}), ("dead_letters", {}), ("transactions", {3: 1})]


answers = st.tuples(st.integers(0, 2), st.integers(0, 2), st.booleans(), st.booleans())


@given(st.dictionaries(st.tuples(st.integers(0, 2), st.integers(0, 70_000)), answers, max_size=25))
def test_the_sum_is_what_counting_by_hand_gives(positions):
    topics = Topics()
    missing = doubled = unknown = transactions = 0
    for (partition, offset), (inferences, letters, is_control, exists) in positions.items():
        if exists:
            topics.transaction(partition, offset, CLOSE if is_control else b"{}")
        for _ in range(inferences):
            topics.inference(partition, offset)
        for _ in range(letters):
            topics.dead_letter(partition, offset)
        by_hand = inferences + min(letters, 1) + (is_control and exists)
        transactions += exists
        missing += exists and by_hand == 0
        doubled += exists and by_hand > 1
        unknown += not exists and by_hand > 0
    found = Accounting(topics.read).update()
    counted = Counter(transactions=found.transactions, missing=found.missing, doubled=found.doubled)
    assert counted == Counter(transactions=transactions, missing=missing, doubled=doubled)
    assert found.unknown == unknown


def challenged(lacking=(), twice=()):
    """Return topics where a challenger was active from the 20th second to the 80th of a hundred."""
    topics = Topics()
    for second in range(100):
        topics.transaction(0, second)
        topics.inference(0, second, time_ms=second * 1_000)
        if 20 <= second <= 80 and second not in lacking:
            for _ in range(2 if second in twice else 1):
                topics.inference(0, second, role="shadow", version="2", time_ms=second * 1_000, seq=7)
    return topics


def test_a_challenger_scores_all_from_its_activation_on():
    found = Accounting(challenged().read).update()
    (shadow,) = found.challengers
    assert (shadow.role, shadow.version, shadow.deployment_seq) == ("shadow", "2", 7)
    assert (shadow.scored, shadow.missing, shadow.doubled) == (61, 0, 0)
    assert found.holds


def test_what_a_challenger_left_out_in_its_midst_is_missing_and_at_its_edges_is_not():
    found = Accounting(challenged(lacking=(22, 40, 41, 78), twice=(50,)).read).update()
    (shadow,) = found.challengers
    assert (shadow.missing, shadow.doubled) == (2, 1)
    assert not found.holds
    assert "shadow 2: 2 missing, 1 doubled" in str(found)
