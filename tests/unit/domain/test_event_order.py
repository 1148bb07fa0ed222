import itertools

from hypothesis import given
from hypothesis import strategies as st

from udfs.domain.event_order import in_event_order


def transaction(name, time, offset=0):
    return {"kind": "transaction", "transaction_id": name, "event_time_ms": time, "partition": 0, "offset": offset}


def truth(name, truth_time, revision=0, offset=0):
    return {
        "kind": "truth",
        "transaction_id": name,
        "truth_time_ms": truth_time,
        "event_time_ms": 0,
        "revision": revision,
        "partition": 0,
        "offset": offset,
    }


EVENTS = st.lists(
    st.builds(transaction, st.sampled_from("abc"), st.integers(0, 4))
    | st.builds(truth, st.sampled_from("abc"), st.integers(0, 4), st.integers(0, 2)),
    max_size=12,
).map(lambda events: [{**event, "offset": number} for number, event in enumerate(events)])


def test_truths_come_before_transactions_of_their_millisecond_then_by_transaction_id():
    expected = [transaction("z", 1), truth("b", 5), transaction("a", 5), transaction("c", 5), truth("a", 6)]
    for events in itertools.permutations(expected):
        assert in_event_order(events) == expected


def test_a_truth_stands_at_the_time_it_is_known_from_not_at_its_transactions():
    assert in_event_order([truth("t", 10), transaction("t", 3)])[0]["kind"] == "transaction"


def test_revisions_told_at_once_come_lowest_first():
    assert [event["revision"] for event in in_event_order([truth("a", 1, 2), truth("a", 1, 0), truth("a", 1, 1)])] == [
        0,
        1,
        2,
    ]


@given(EVENTS, st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_the_order_they_came_in(events, random):
    shuffled = events[:]
    random.shuffle(shuffled)
    assert in_event_order(shuffled) == in_event_order(events)
